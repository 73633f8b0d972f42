import { type ConversationId, groupConversation, type MsgModel, personalConversation } from '@qunxin/contracts'
import { frameOf } from '../socket/wire.ts'

/**
 * An entry of the log as the frame its receivers get. A recall or an edit has a tag of its own: clients that know only the
 * seeds ignore it, and would show it as a message otherwise.
 */
export function messageFrame(message: MsgModel): Buffer {
  const tag = message.change ? 'messageChanged' : 'message'
  return frameOf(JSON.stringify({ tag, data: message }))
}

export function conversationOf(message: MsgModel): ConversationId {
  if (message.sessionId !== '') return groupConversation(message.sessionId)
  return personalConversation(String(message.fromUserId), String(message.toUserId))
}
