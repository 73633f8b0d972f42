import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { type ConversationId, DEAD_AFTER_MS, groupOf, pairOf, type UserId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import type { Message } from '../domain/message.ts'
import type { Routes } from '../fanout/routes.ts'
import type { MembershipSource } from '../membership/source.ts'
import { Slots } from '../partition/slots.ts'
import type { Cursors } from '../store/cursors.ts'
import type { Preferences } from '../store/preferences.ts'
import type { Missed, MissedBy } from './message-events.ts'

const GROUPS_AT_ONCE = 8
/** Of whose connections is asked in one turn of the event loop: to a process that has just started all of them are unknown. */
const USERS_AT_ONCE = 2_000

export interface MissedByOptions {
  source: Pick<MembershipSource, 'membersOf'>
  routes: Pick<Routes, 'nodesOf'>
  cursors: Pick<Cursors, 'of' | 'each'>
  preferences: Pick<Preferences, 'ofPairs' | 'mutedIn'>
  /** Was this gateway heard of lately? */
  lives(node: string): boolean
  /** Since when we listen to the gateways (monotonic ms). */
  listeningSince: number
  /** Of larger groups nobody is told of. */
  groupLimit: number
}

/** A receiver, and up to where messages are not for them or have reached them. */
interface Receiver {
  user: UserId
  had: number
}

/**
 * Who missed messages whose owner died before it told: the receivers as of now whom they have not reached and who have no
 * connection now. Who came back in between has been sent them.
 */
export function missedBy(options: MissedByOptions): MissedBy {
  const { routes, lives, listeningSince } = options
  return async (messages) => {
    // A gateway that has had no time to be heard of is not dead.
    await delay(Math.max(0, listeningSince + DEAD_AFTER_MS - performance.now()))
    const told = Map.groupBy(
      messages.filter(({ change, recalled }) => !change && !recalled),
      ({ conversation }) => conversation,
    )
    const receivers = await receiversIn([...told.keys()], options)
    const users = new Set([...receivers.values()].flatMap((some) => some.map(({ user }) => user)))
    const nodes = await nodesOf([...users], routes)
    const away = new Map<ConversationId, readonly Receiver[]>()
    for (const [conversation, some] of receivers) {
      const nowhere = some.filter(({ user }) => ![...(nodes.get(user) ?? [])].some(lives))
      if (nowhere.length > 0) away.set(conversation, nowhere)
    }
    const pairs = await missedInPairs(away, options)
    const found = await inSlots([...away.keys()], async (conversation): Promise<[ConversationId, Audience]> => {
      const known = pairs.get(conversation)
      return [conversation, known ?? (await missedInGroup(conversation, away.get(conversation) ?? [], options))]
    })
    return found.flatMap(([conversation, audience]) =>
      (told.get(conversation) ?? []).flatMap((message) => missedOf(message, audience)),
    )
  }
}

/** Those who are away, the one whom least has reached first. */
interface Audience {
  users: readonly UserId[]
  had: readonly number[]
  muted: readonly UserId[]
}

function audience(receivers: readonly Receiver[], muted: ReadonlySet<UserId>): Audience {
  const sorted = receivers.toSorted((one, other) => one.had - other.had)
  const users = sorted.map(({ user }) => user)
  return { users, had: sorted.map(({ had }) => had), muted: users.filter((user) => muted.has(user)) }
}

/** Thousands of messages to the same thousands share one list of them. */
function missedOf(message: Message, { users, had, muted }: Audience): Missed[] {
  const reached = had.findLastIndex((seq) => seq < message.seq) + 1
  const some = reached === users.length ? users : users.slice(0, reached)
  const others = some.includes(message.from) ? some.filter((user) => user !== message.from) : some
  return others.length > 0 ? [{ message, users: others, muted }] : []
}

async function nodesOf(users: readonly UserId[], routes: MissedByOptions['routes']) {
  const nodes = new Map<UserId, ReadonlySet<string>>()
  for (let at = 0; at < users.length; at += USERS_AT_ONCE) {
    for (const [user, its] of await routes.nodesOf(users.slice(at, at + USERS_AT_ONCE))) nodes.set(user, its)
    await nextTurn()
  }
  return nodes
}

async function receiversIn(
  conversations: readonly ConversationId[],
  { source, groupLimit }: MissedByOptions,
): Promise<Map<ConversationId, readonly Receiver[]>> {
  const ask = async (conversation: ConversationId): Promise<[ConversationId, readonly Receiver[]]> => {
    const group = groupOf(conversation)
    if (group === undefined) return [conversation, (pairOf(conversation) ?? []).map((user) => ({ user, had: 0 }))]
    const { members } = await source.membersOf(group).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'GROUP_NOT_FOUND') return { members: [] }
      throw error
    })
    // A message is for nobody who joined after it.
    const all = members.map(({ userId, joinedSeq = 0 }) => ({ user: userId, had: joinedSeq }))
    return [conversation, all.length > groupLimit ? [] : all]
  }
  return new Map(await inSlots(conversations, ask))
}

/** All personal conversations in one question each for cursors and preferences. */
async function missedInPairs(
  away: ReadonlyMap<ConversationId, readonly Receiver[]>,
  { cursors, preferences }: MissedByOptions,
): Promise<ReadonlyMap<ConversationId, Audience>> {
  const pairs = [...away].filter(([conversation]) => groupOf(conversation) === undefined)
  if (pairs.length === 0) return new Map()
  const keys = pairs.flatMap(([conversation, some]) => some.map(({ user }) => ({ user, conversation })))
  const [reached, rows] = await Promise.all([
    cursors.each(keys),
    preferences.ofPairs(pairs.map(([conversation]) => conversation)),
  ])
  const muted = new Set(rows.flatMap((row) => (row.muted ? [`${row.conversation} ${row.user}`] : [])))
  const found = keys.map((key, i) => ({ ...key, had: reached[i]?.deliveredSeq ?? 0 }))
  return new Map(
    [...Map.groupBy(found, ({ conversation }) => conversation)].map(([conversation, some]) => {
      const quiet = some.filter(({ user }) => muted.has(`${conversation} ${user}`))
      return [conversation, audience(some, new Set(quiet.map(({ user }) => user)))]
    }),
  )
}

async function missedInGroup(
  conversation: ConversationId,
  away: readonly Receiver[],
  { cursors, preferences }: MissedByOptions,
): Promise<Audience> {
  const users = away.map(({ user }) => user)
  const [reached, muted] = await Promise.all([cursors.of(conversation, users), preferences.mutedIn(conversation)])
  const had = ({ user, had }: Receiver) => Math.max(had, reached.get(user)?.deliveredSeq ?? 0)
  return audience(
    away.map((receiver) => ({ user: receiver.user, had: had(receiver) })),
    muted,
  )
}

async function inSlots<T, R>(all: readonly T[], ask: (one: T) => Promise<R>): Promise<R[]> {
  const slots = new Slots(GROUPS_AT_ONCE)
  return Promise.all(all.map((one) => slots.use(() => ask(one))))
}
