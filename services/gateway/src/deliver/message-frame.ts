import { type ConversationId, groupConversation, type MsgModel, personalConversation } from '@qunxin/contracts'
import { frameOf } from '../socket/wire.ts'

/** A stored message as the frame its receivers get. */
export function messageFrame(message: MsgModel): Buffer {
  return frameOf(JSON.stringify({ tag: 'message', data: message }))
}

export function conversationOf(message: MsgModel): ConversationId {
  if (message.sessionId !== '') return groupConversation(message.sessionId)
  return personalConversation(String(message.fromUserId), String(message.toUserId))
}
