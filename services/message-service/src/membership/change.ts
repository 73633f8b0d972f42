import { type GroupId, groupConversation, type MembershipChange, type UserId } from '@qunxin/contracts'
import type { Fanout } from '../fanout/fanout.ts'
import type { Push } from '../fanout/job.ts'
import type { ConversationCache } from '../partition/conversations.ts'
import type { Lane } from '../partition/lane.ts'
import type { Receipts } from '../receipts/receipts.ts'
import type { Cursors } from '../store/cursors.ts'
import type { MembershipCache } from './cache.ts'

export interface ChangeOptions {
  membership: MembershipCache
  conversations: ConversationCache
  cursors: Cursors
  receipts: Pick<Receipts, 'membersChanged'>
}

/**
 * Applies a change of membership that group-service tells the owner of, and confirms it with the group's newest seq. From the
 * first line on no send is checked against the old members; the pushes stand between the commits before and after.
 */
export async function changeMembership(
  options: ChangeOptions,
  change: MembershipChange,
  place: { lane: Lane; fanout: Fanout; partition: number },
): Promise<{ lastSeq: number }> {
  const { membership, conversations, cursors, receipts } = options
  const before = membership.last(change.groupId)?.users
  membership.apply(change)
  const id = groupConversation(change.groupId)
  const conversation = conversations.use(id, place.partition)
  const lastSeq = await new Promise<number>((resolve, reject) => {
    place.lane
      .between(conversation, (newest) => {
        membership.joined(change.groupId, change.added, newest)
        place.fanout.push(pushesOf(change, before).map((push) => ({ push })))
        resolve(newest)
      })
      .catch(reject)
  })
  // Who joins a busy group has nothing unread (protocol §5).
  if (lastSeq > 0) {
    const joined = change.added.map((user) => ({ user, conversation: id, deliveredSeq: lastSeq, readSeq: lastSeq }))
    await cursors.advance(joined)
  }
  if (change.added.length > 0 || change.removed.length > 0)
    receipts.membersChanged(id, { added: change.added, joinedSeq: lastSeq })
  return { lastSeq }
}

/** What clients are told: those whose list changed, then everybody in the group; of a deleted group those who were in it. */
export function pushesOf(change: MembershipChange, before: ReadonlySet<UserId> | undefined): Push[] {
  const { notice } = change
  if (!notice) return []
  const groupId: GroupId = change.groupId
  const pushes: Push[] = []
  if (notice.listChanged.length > 0) {
    pushes.push({
      tag: 'groupListChanged',
      data: { groupId, reason: notice.reason },
      to: { users: notice.listChanged },
    })
  }
  if (notice.reason === 'created') return pushes
  const data: Record<string, unknown> = { groupId, reason: notice.reason, byUserId: Number(notice.byUserId) }
  if (notice.userIds) data.userIds = notice.userIds.map(Number)
  const lastMembers = before && before.size > 0 ? [...before] : notice.listChanged
  pushes.push({ tag: 'groupChanged', data, to: change.deleted ? { users: lastMembers } : { group: groupId } })
  return pushes
}
