import type { ConversationId, SendEntry } from '@qunxin/contracts'
import { attachmentOf } from './content.ts'
import type { Message } from './message.ts'

/** Where a conversation stands: its newest seq and that message's time; both 0 before the first. */
export interface Position {
  seq: number
  at: number
}

/**
 * The message that comes next: seq without a hole, and a time later than the one before even inside one millisecond. With
 * `conversation` all messages of one share one string, by which they are found quicker.
 */
export function number(
  send: SendEntry,
  after: Position,
  options: { conversation?: ConversationId; hash: string; now: number },
): Message {
  const message: Message = {
    conversation: options.conversation ?? send.conversation,
    seq: after.seq + 1,
    at: Math.max(options.now, after.at + 1),
    from: send.from,
    msgId: send.msgId,
    hash: options.hash,
    type: send.type,
    text: send.text,
  }
  if (send.group === undefined) message.to = send.to ?? ''
  else message.group = send.group
  const attachment = attachmentOf(send.type, send.attachment)
  if (attachment) message.attachment = attachment
  if (send.sentAt !== undefined) message.sentAt = send.sentAt
  if (send.change) message.change = send.change
  return message
}
