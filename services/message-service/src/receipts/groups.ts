import type { ConversationId } from '@qunxin/contracts'
import { COUNTED_MEMBERS } from '../domain/floors.ts'
import { sinceJoining } from '../domain/present.ts'
import type { Routes } from '../fanout/routes.ts'
import type { Members } from '../membership/members.ts'
import type { Cursors } from '../store/cursors.ts'
import type { CountPushes } from './count-pushes.ts'
import type { FloorKeeper } from './floor-keeper.ts'
import type { Flushed } from './gathering.ts'
import type { GroupState } from './group-state.ts'
import type { GroupStates } from './group-states.ts'
import type { MembersInTime } from './members-in-time.ts'
import { type NewestOptions, newestFor } from './newest.ts'
import { withOthers } from './others.ts'
import { isStillOurs, type Place, type StatePush, tenures } from './place.ts'
import { ownState } from './states.ts'
import type { Told } from './told.ts'
import type { Waiting } from './waiting.ts'

export interface GroupOptions {
  cursors: Cursors
  newest: NewestOptions
  place: Place
  routes: Pick<Routes, 'nodesOf'>
  told: Told
  states: GroupStates
  floors: FloorKeeper
  counts: CountPushes
  members: Pick<MembersInTime, 'of'>
}

type Held = ReadonlyMap<ConversationId, number | undefined>
interface Move {
  one: Waiting
  user: string
  conversation: ConversationId
  reader: Waiting['reader']
  deliveredSeq: number
  readSeq: number
}

/** Stores how far members are in groups, then tells their other connections when they have read, and in groups up to 500 the authors. */
export async function flushGroups(options: GroupOptions, waiting: readonly Waiting[]): Promise<Flushed> {
  const { cursors, place, told, floors, counts } = options
  const held = tenures(place, waiting)
  const members = await options.members.of([...held.keys()])
  const again = waiting.filter(({ conversation }) => !members.has(conversation))
  const moves = await movesOf(options, waiting, members)
  const states = await openStates(options, held, { moves, members })

  const isNew = (move: Move) => {
    const state = states.get(move.conversation)
    return state ? !state.covers(move.user, move) : !told.covers(move, move)
  }
  await cursors.advance(
    moves
      .filter(isNew)
      .map(({ user, conversation, deliveredSeq, readSeq }) => ({ user, conversation, deliveredSeq, readSeq })),
  )
  for (const move of moves) {
    const state = states.get(move.conversation)
    if (!state) continue
    // What is stored already and was not told by us, its owner may have died before telling.
    if (!told.covers(move, move)) state.moves(move.user, told.of(move))
    state.put(move.user, move)
  }
  const large = [...members].flatMap(([conversation, { users }]) =>
    users.size > COUNTED_MEMBERS ? [conversation] : [],
  )
  await Promise.all([floors.write(states.values()), floors.remove(large)])

  const pushes = await ownPushes(options, moves)
  const isLost = ({ conversation }: Move) => !isStillOurs(place, held, conversation)
  const lost = moves.filter(isLost).map(({ one }) => one)
  for (const move of moves) if (!isLost(move)) told.add(move, move)
  for (const state of states.values()) counts.add(state)
  const ours = pushes.filter(({ conversation }) => isStillOurs(place, held, conversation))
  return { again, lost, told: Promise.all([place.tell(ours), counts.push()]).then(() => {}) }
}

/** Those of current members, up to the newest message, and not behind where they joined. */
async function movesOf(
  { newest }: GroupOptions,
  waiting: readonly Waiting[],
  members: ReadonlyMap<ConversationId, Members>,
): Promise<Move[]> {
  const theirs = waiting.filter(({ user, conversation }) => members.get(conversation)?.has(user))
  const upTo = await newestFor(newest, theirs)
  return theirs.flatMap((one) => {
    const { user, conversation, reader } = one
    const last = upTo.get(conversation) ?? 0
    if (last === 0) return []
    const joined = Math.min(members.get(conversation)?.joinedSeq.get(user) ?? 0, last)
    const told = { deliveredSeq: Math.min(one.delivered, last), readSeq: Math.min(one.read, last) }
    return [{ one, user, conversation, reader, ...sinceJoining(told, joined) }]
  })
}

/** The cursors of the groups that are counted, before these moves. */
async function openStates(
  { states }: GroupOptions,
  held: Held,
  { moves, members }: { moves: readonly Move[]; members: ReadonlyMap<ConversationId, Members> },
): Promise<Map<ConversationId, GroupState>> {
  const opened = new Map<ConversationId, GroupState>()
  const furthest = new Map<ConversationId, number>()
  for (const { conversation, deliveredSeq } of moves)
    furthest.set(conversation, Math.max(furthest.get(conversation) ?? 0, deliveredSeq))
  await Promise.all(
    [...furthest].map(async ([conversation, seq]) => {
      const there = members.get(conversation)
      if (!there || there.users.size > COUNTED_MEMBERS) return
      const state = await states.open(conversation, there, held.get(conversation))
      state.newest = Math.max(state.newest, seq)
      opened.set(conversation, state)
    }),
  )
  return opened
}

/** Told is what was read back: of two owners' pushes the further one is the newer. */
async function ownPushes(options: GroupOptions, moves: readonly Move[]): Promise<StatePush[]> {
  const { cursors, routes, told } = options
  // Who joined late has a cursor without having read.
  const read = moves.filter((move) => move.reader && move.readSeq > told.of(move).readSeq)
  const others = await withOthers(routes, read)
  const stored = await cursors.each(others)
  return others.flatMap(({ user, conversation, reader }, index) => {
    const cursor = stored[index]
    return cursor ? [ownState(conversation, user, { cursor, except: reader?.conn })] : []
  })
}
