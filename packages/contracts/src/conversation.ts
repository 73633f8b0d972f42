import type { GroupId, UserId } from './ids.ts'
import type { MsgModel } from './models.ts'

/** `p<lower>-<higher>` for the unordered pair of a personal conversation, `g<groupId>` for a group. */
export type ConversationId = string

/** How the wire names a conversation for one of its users: `peerUserId` is 0 for groups. */
export interface ConversationName {
  sessionId: string
  peerUserId: number
}

export function personalConversation(one: UserId, other: UserId): ConversationId {
  return Number(one) < Number(other) ? `p${one}-${other}` : `p${other}-${one}`
}

export function groupConversation(group: GroupId): ConversationId {
  return `g${group}`
}

/** The group of a conversation, or undefined for a personal one. */
export function groupOf(conversation: ConversationId): GroupId | undefined {
  return conversation.startsWith('g') ? conversation.slice(1) : undefined
}

/** The two users of a personal conversation, lower id first; undefined for a group. */
export function pairOf(conversation: ConversationId): [UserId, UserId] | undefined {
  if (!conversation.startsWith('p')) return undefined
  const dash = conversation.indexOf('-')
  return [conversation.slice(1, dash), conversation.slice(dash + 1)]
}

export function peerOf(conversation: ConversationId, user: UserId): UserId | undefined {
  const pair = pairOf(conversation)
  return pair && (pair[0] === user ? pair[1] : pair[0])
}

export function nameFor(conversation: ConversationId, user: UserId): ConversationName {
  const group = groupOf(conversation)
  return group === undefined
    ? { sessionId: '', peerUserId: Number(peerOf(conversation, user)) }
    : { sessionId: group, peerUserId: 0 }
}

/** The conversation that has this name for one of its users: {@link nameFor} the other way round. */
export function conversationNamed({ sessionId, peerUserId }: ConversationName, user: UserId): ConversationId {
  return conversationOf(user, { sessionId: sessionId || undefined, peerUserId: String(peerUserId) })
}

/** The conversation one of its users names; a group's peerUserId does not count. */
export function conversationOf(
  user: UserId,
  { sessionId, peerUserId = '0' }: { sessionId?: GroupId | undefined; peerUserId?: UserId | undefined },
): ConversationId {
  return sessionId === undefined ? personalConversation(user, peerUserId) : groupConversation(sessionId)
}

/** The conversation a message stands in. */
export function conversationOfMessage({
  sessionId,
  fromUserId,
  toUserId,
}: Pick<MsgModel, 'sessionId' | 'fromUserId' | 'toUserId'>): ConversationId {
  return sessionId === '' ? personalConversation(String(fromUserId), String(toUserId)) : groupConversation(sessionId)
}
