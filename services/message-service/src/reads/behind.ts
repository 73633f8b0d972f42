import {
  type ConversationId,
  groupConversation,
  type OutputOf,
  type behind as operation,
  type UserId,
} from '@qunxin/contracts'
import type { Conversations } from '../store/conversations.ts'
import type { CursorKey, Cursors } from '../store/cursors.ts'
import type { MessageLog } from '../store/message-log.ts'
import type { GroupsInTime } from './groups-in-time.ts'

/** Of all users of a question together; who does not fit in is read alone. */
const CONVERSATIONS = 2_000

export interface BehindPorts {
  log: Pick<MessageLog, 'heads'>
  cursors: Pick<Cursors, 'each'>
  conversations: Pick<Conversations, 'ofUsers'>
  groupsInTime: Pick<GroupsInTime, 'ofUsers'>
}

/** One user's place in one conversation, as far as it is theirs to get. */
interface Place extends CursorKey {
  joinedSeq: number
  /** Of a group whose seq at joining is not known. */
  joinedAt: number
}

/**
 * For whom there may be a backlog, in four questions however many ask. Whoever is not named has everything, but for what is sent
 * from now on; whoever is named may have nothing to get all the same, as when only their own messages are newer.
 */
export async function readBehind(ports: BehindPorts, users: readonly UserId[]): Promise<OutputOf<typeof operation>> {
  const { log, cursors, conversations, groupsInTime } = ports
  const [personal, groups] = await Promise.all([
    conversations.ofUsers(users, CONVERSATIONS),
    groupsInTime.ofUsers(users),
  ])
  const behind = new Set<UserId>()
  const places: Place[] = []
  for (const [i, user] of users.entries()) {
    const [pairs, joined] = [personal.get(user), groups?.[i]]
    const room = CONVERSATIONS - places.length
    if (!pairs || !joined || pairs.length + joined.length > room) {
      behind.add(user)
      continue
    }
    for (const conversation of pairs) places.push({ user, conversation, joinedSeq: 0, joinedAt: 0 })
    for (const { groupId, joinedAt, joinedSeq } of joined)
      places.push({
        user,
        conversation: groupConversation(groupId),
        joinedSeq: joinedSeq ?? 0,
        joinedAt: joinedSeq === undefined ? joinedAt : 0,
      })
  }
  if (places.length === 0) return { behind: [...behind] }
  const names = [...new Set<ConversationId>(places.map(({ conversation }) => conversation))]
  const [found, mine] = await Promise.all([log.heads(names), cursors.each(places)])
  const heads = new Map(found.map((head) => [head.conversation, head]))
  for (const [i, { user, conversation, joinedSeq, joinedAt }] of places.entries()) {
    const head = heads.get(conversation)
    if (!head || head.at <= joinedAt) continue
    if (head.seq > Math.max(mine[i]?.deliveredSeq ?? 0, joinedSeq)) behind.add(user)
  }
  return { behind: [...behind] }
}
