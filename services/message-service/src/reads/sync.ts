import {
  type ConversationId,
  conversationOf,
  groupConversation,
  groupOf,
  type InputOf,
  nameFor,
  type OutputOf,
  SYNC_LIMITS,
  type sync,
  type UserId,
} from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import { clipped, type SeqRange } from '../domain/visibility.ts'
import type { Membership } from '../membership/source.ts'
import type { Overviews } from '../store/overviews.ts'
import { readAsMember } from './as-member.ts'
import type { OverviewPorts } from './conversation-list.ts'
import { jsonBytes } from './fitting.ts'
import { statesBy } from './states.ts'
import { answerPositions, type Position, ReadEntries, type Wanted, wantedBy } from './sync-positions.ts'
import { pointsOf, visibleRanges } from './visible-ranges.ts'

const RESPONSE_BYTES = 256 * 1024
/** Entries read before it is known how long they are, and in all. */
const ENTRIES = { first: 64, most: 1_500 }

/**
 * §5: what came behind each position, in the order asked, and which conversations there are besides, by their ids. Four commands
 * of MongoDB at most (ADR 0019).
 *
 * @throws AppError BAD_REQUEST when `newAfter` is none that was given
 */
export async function readSync(
  { overviews, membership }: OverviewPorts,
  user: UserId,
  input: InputOf<typeof sync>,
): Promise<OutputOf<typeof sync>> {
  const after = conversationAfter(input.newAfter)
  const asked = input.positions.map((one) => ({ conversation: conversationOf(user, one), seq: one.seq }))
  const named = new Set(asked.map(({ conversation }) => conversation))
  const [, { found, mayRead, newGroups, rangesOf }] = await readAsMember(
    () => membership.groupsOf(user),
    (memberships) => begin(overviews, user, { memberships, named, after }),
  )
  const positions = asked.map(({ conversation, seq }): Position => {
    const head = mayRead(conversation) ? (found.heads.get(conversation) ?? 0) : undefined
    const visible = rangesOf(conversation)
    return { conversation, seq, head, visible, behind: clipped(visible, { fromSeq: seq + 1, toSeq: head ?? 0 }) }
  })
  const candidates = [...newGroups, ...found.personal.filter((one) => !named.has(one))]
  const offered = candidates.slice(0, SYNC_LIMITS.new)

  const wanted = wantedBy(positions, ENTRIES.most)
  const [standing, entries] = await Promise.all([
    overviews.standing({
      readers: [...new Set(wanted.map(({ conversation }) => conversation))],
      heads: offered.filter((one) => groupOf(one) === undefined),
    }),
    readEntries(overviews, wanted),
  ])
  const answer: OutputOf<typeof sync> = {
    positions: [],
    new: offered.flatMap((conversation) => {
      const head = found.heads.get(conversation) ?? standing.heads.get(conversation) ?? 0
      const lastSeq = lastIn(rangesOf(conversation), head)
      return lastSeq > 0 ? [{ ...nameFor(conversation, user), lastSeq }] : []
    }),
  }
  const last = offered.at(-1)
  if (last !== undefined && candidates.length > offered.length) answer.newNext = last
  const options = { user, entries, stateOf: statesBy(standing) }
  // The frame around the messages comes first, so that every position is answered.
  answer.positions = answerPositions(positions, { ...options, bytes: 0 })
  answer.positions = answerPositions(positions, { ...options, bytes: RESPONSE_BYTES - frameBytes(answer) })
  return answer
}

/** What is there, and what of it the user may read. */
async function begin(
  overviews: Overviews,
  user: UserId,
  asked: { memberships: readonly Membership[]; named: ReadonlySet<ConversationId>; after: ConversationId },
) {
  const { memberships, named, after } = asked
  const groups = new Set(memberships.map(({ groupId }) => groupConversation(groupId)))
  const mayRead = (conversation: ConversationId) => groupOf(conversation) === undefined || groups.has(conversation)
  const newGroups = [...groups].filter((one) => one > after && !named.has(one)).sort()
  const points = pointsOf(memberships)
  const found = await overviews.begun(user, {
    after,
    // One more than are told says whether there are more; those that are named may be among them.
    limit: SYNC_LIMITS.new + 1 + named.size,
    heads: [...[...named].filter(mayRead), ...newGroups.slice(0, SYNC_LIMITS.new)],
    points,
  })
  return { found, mayRead, newGroups, rangesOf: visibleRanges(memberships, { points, seqs: found.seqs }) }
}

/** As many entries as may fit, in two reads: the first ones tell how long they are. */
async function readEntries(overviews: Overviews, wanted: readonly Wanted[]): Promise<ReadEntries> {
  const entries = new ReadEntries()
  const first = wanted.slice(0, ENTRIES.first)
  const found = await overviews.entries(first)
  entries.add(first, found)
  const bytes = found.reduce((sum, one) => sum + jsonBytes(one), 0)
  const room = Math.ceil(((RESPONSE_BYTES - bytes) * found.length) / Math.max(1, bytes))
  if (wanted.length <= ENTRIES.first || room <= 0) return entries
  const rest = wanted.slice(ENTRIES.first, ENTRIES.first + room)
  entries.add(rest, await overviews.entries(rest))
  return entries
}

/** What the answer takes without the messages that `positions` has so far. */
function frameBytes(answer: OutputOf<typeof sync>): number {
  const positions = answer.positions.map((one) => (one.status === 'messages' ? { ...one, messages: [] } : one))
  return jsonBytes({ ...answer, positions })
}

function lastIn(ranges: readonly SeqRange[], head: number): number {
  return clipped(ranges, { fromSeq: 1, toSeq: head }).at(-1)?.toSeq ?? 0
}

function conversationAfter(newAfter: string | undefined): ConversationId {
  if (newAfter === undefined) return ''
  if (/^(g\d{1,20}|p\d{1,16}-\d{1,16})$/.test(newAfter)) return newAfter
  throw new AppError('BAD_REQUEST', { details: { field: 'newAfter' } })
}
