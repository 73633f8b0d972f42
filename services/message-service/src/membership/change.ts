import { type GroupId, groupConversation, type MembershipChange, type UserId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import type { Fanout } from '../fanout/fanout.ts'
import type { Push } from '../fanout/job.ts'
import type { Conversation } from '../partition/conversation.ts'
import type { ConversationCache } from '../partition/conversations.ts'
import type { Lane } from '../partition/lane.ts'
import type { Receipts } from '../receipts/receipts.ts'
import type { Cursors } from '../store/cursors.ts'
import type { MessageLog } from '../store/message-log.ts'
import type { MembershipCache } from './cache.ts'
import type { Newcomers } from './newcomers.ts'

export interface ChangeOptions {
  membership: MembershipCache
  newcomers: Newcomers
  log: Pick<MessageLog, 'heads'>
  conversations: ConversationCache
  cursors: Cursors
  receipts: Pick<Receipts, 'membersChanged'>
}

/**
 * Applies a change of membership that group-service tells the owner of, and confirms it with the group's newest seq. From the
 * first line on no send is checked against the old members; the pushes stand between the commits before and after.
 *
 * @throws AppError UNAVAILABLE when it is in force, but where it stands in the log cannot be said
 */
export async function changeMembership(
  options: ChangeOptions,
  change: MembershipChange,
  place: { lane: Lane; fanout: Fanout; partition: number },
): Promise<{ lastSeq: number }> {
  const { membership, newcomers, conversations, cursors, receipts } = options
  const { groupId, added, removed } = change
  const before = membership.last(groupId)
  // Of a change long past somebody else may have stored what came behind it: time stands for its place.
  const isPlaced = membership.hearsPromptly
  membership.apply(change)
  newcomers.forget(groupId, removed)
  // Who is served already, as the members have been read since the change, goes on being served.
  const coming = (before?.version ?? 0) < change.version ? added : []
  newcomers.coming(groupId, coming)
  const id = groupConversation(groupId)
  const conversation = conversations.use(id, place.partition)
  const pushes = pushesOf(change, before?.users).map((push) => ({ push }))
  const tell = () => place.fanout.push(pushes)
  const at = { lane: place.lane, conversation, coming, isPlaced, tell }
  const lastSeq = await placeInLog(options, change, at).catch((error: unknown) => {
    newcomers.forget(groupId, coming)
    throw error
  })
  if (!isPlaced) throw new AppError('UNAVAILABLE')
  // Who joins a busy group has nothing unread (protocol §5).
  if (lastSeq > 0) {
    const joined = added.map((user) => ({ user, conversation: id, deliveredSeq: lastSeq, readSeq: lastSeq }))
    await cursors.advance(joined)
  }
  if (added.length > 0 || removed.length > 0) receipts.membersChanged(id, { added, joinedSeq: lastSeq })
  return { lastSeq }
}

/** The newest seq when the change is in force: what comes behind it is for those who came, and not for those who went. */
async function placeInLog(
  { membership, newcomers, log }: ChangeOptions,
  { groupId, added, removed }: MembershipChange,
  at: { lane: Lane; conversation: Conversation; coming: readonly UserId[]; isPlaced: boolean; tell(): void },
): Promise<number> {
  const { lane, conversation, coming, isPlaced, tell } = at
  const between = <T>(task: (newest: number) => T) =>
    new Promise<T>((resolve, reject) => {
      lane.between(conversation, (newest) => resolve(task(newest))).catch(reject)
    })
  const place = (seq: number) => {
    if (isPlaced) membership.joined(groupId, added, seq)
    newcomers.came(groupId, coming, seq)
    return { seq, recent: conversation.recent }
  }
  const placing = between((newest) => {
    tell()
    return place(newest)
  })
  const decides = added.length > 0 || removed.length > 0
  const [placed, [head]] = await Promise.all([placing, decides ? log.heads([conversation.id]) : []])
  /** Up to the head everything is what this process has stored: nothing was read from the log since. */
  const isOwn = (newest: number) => conversation.recent === placed.recent && newest >= (head?.seq ?? 0)
  if (isOwn(conversation.position?.seq ?? 0)) return placed.seq
  // While the partition changes hands its other owner may have stored what is not known here.
  return between((newest) => (isOwn(newest) ? placed.seq : place(Math.max(newest, head?.seq ?? 0)).seq))
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
