import { type ConversationId, groupConversation } from '@qunxin/contracts'
import { rangesOf, type SeqRange, timesIn } from '../domain/visibility.ts'
import type { Membership } from '../membership/source.ts'
import type { TimePoint } from '../store/overviews.ts'

/** The times for which a seq has to be looked up before it is known what of these groups may be seen. */
export function pointsOf(memberships: readonly Membership[]): TimePoint[] {
  return memberships.flatMap(({ groupId, visible }) =>
    timesIn(visible).map((time) => ({ conversation: groupConversation(groupId), time })),
  )
}

/** What of each group may be seen, given the seqs of {@link pointsOf} in the same order; of other conversations everything. */
export function visibleRanges(
  memberships: readonly Membership[],
  { points, seqs }: { points: readonly TimePoint[]; seqs: readonly number[] },
): (conversation: ConversationId) => readonly SeqRange[] {
  const found = new Map(points.map(({ conversation, time }, index) => [`${conversation}@${time}`, seqs[index] ?? 0]))
  const restricted = memberships.filter(({ visible }) => visible !== undefined)
  const ranges = new Map(
    restricted.map(({ groupId, visible }) => {
      const conversation = groupConversation(groupId)
      return [conversation, rangesOf(visible, (time) => found.get(`${conversation}@${time}`) ?? 0)] as const
    }),
  )
  return (conversation) => ranges.get(conversation) ?? [{ fromSeq: 1 }]
}
