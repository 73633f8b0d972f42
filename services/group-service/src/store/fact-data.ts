import type { GroupId } from '@qunxin/contracts'
import type { Fact } from './group-store.ts'
import type { OutboxFact } from './outbox.ts'

/**
 * The outbox entries of one change. `revision` counts the group's changes: padded into the id it orders facts of one
 * millisecond.
 */
export function outboxFacts(
  groupId: GroupId,
  change: { at: number; revision: number; facts: readonly Fact[] },
): OutboxFact[] {
  const { at, revision, facts } = change
  return facts.map(({ what, ...data }, index) => ({
    id: `${groupId}:${String(revision).padStart(12, '0')}:${index}`,
    what,
    data: { at, groupId, byUserId: data.byUserId, ...(data.userIds && { userIds: [...data.userIds] }) },
  }))
}
