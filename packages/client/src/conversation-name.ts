import type { MsgModel } from '@qunxin/contracts'

/** A user, or … */
export interface Peer {
  to?: string | number
  /** … a group. */
  group?: string
}

/** How the wire names a conversation: by the group, or by the other user. */
export interface ConversationName {
  sessionId: string
  peerUserId: number
}

export function nameOf({ to, group }: Peer): ConversationName {
  if ((to === undefined) === (group === undefined)) throw new TypeError('a conversation is with a user or of a group')
  return { sessionId: group ?? '', peerUserId: Number(to ?? 0) }
}

export function nameOfMessage({ sessionId, fromUserId, toUserId }: MsgModel, self: number): ConversationName {
  if (sessionId !== '') return { sessionId, peerUserId: 0 }
  return { sessionId, peerUserId: fromUserId === self ? toUserId : fromUserId }
}

export const keyOf = ({ sessionId, peerUserId }: ConversationName) =>
  sessionId === '' ? `p${peerUserId}` : `g${sessionId}`
