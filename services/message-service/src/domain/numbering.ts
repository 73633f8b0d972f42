import type { ContentType, ConversationId, GroupId, SendEntry, UserId } from '@qunxin/contracts'
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
  const message: Message = new Numbered(send, {
    conversation: options.conversation ?? send.conversation,
    seq: after.seq + 1,
    at: Math.max(options.now, after.at + 1),
    hash: options.hash,
  })
  const attachment = attachmentOf(send.type, send.attachment)
  if (attachment) message.attachment = attachment
  if (send.sentAt !== undefined) message.sentAt = send.sentAt
  if (send.change) message.change = send.change
  return message
}

/** Its text is that of the send: a string when somebody asks for it. */
class Numbered implements Message {
  readonly conversation: ConversationId
  readonly seq: number
  readonly at: number
  readonly from: UserId
  declare readonly to?: UserId
  declare readonly group?: GroupId
  readonly msgId: string
  readonly hash: string
  readonly type: ContentType
  utf8: Uint8Array | undefined
  readonly #send: SendEntry

  constructor(send: SendEntry, of: { conversation: ConversationId; seq: number; at: number; hash: string }) {
    this.conversation = of.conversation
    this.seq = of.seq
    this.at = of.at
    this.from = send.from
    this.msgId = send.msgId
    this.hash = of.hash
    this.type = send.type
    this.utf8 = send.utf8
    if (send.group === undefined) this.to = send.to ?? ''
    else this.group = send.group
    this.#send = send
  }

  get text(): string {
    return this.#send.text
  }
}
