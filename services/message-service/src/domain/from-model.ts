import { type ConversationId, groupOf, type MsgModel } from '@qunxin/contracts'
import { attachmentOf, contentHash } from './content.ts'
import type { Message } from './message.ts'

/** The message a frame shows: what toMsgModel made of it, the other way round. */
export function fromMsgModel(conversation: ConversationId, model: MsgModel): Message {
  const { contentStr: text, sendDate } = model
  const type = model.msgContentType as Message['type']
  const attachment = attachmentOf(type, model)
  const content = { type, text, ...(attachment && { attachment }) }
  const group = groupOf(conversation)
  return {
    conversation,
    seq: model.seq,
    at: model.serverReceiveDate,
    from: String(model.fromUserId),
    ...(group === undefined ? { to: String(model.toUserId) } : { group }),
    msgId: model.msgId,
    hash: contentHash(content),
    ...content,
    ...(sendDate !== undefined && { sentAt: sendDate }),
  }
}
