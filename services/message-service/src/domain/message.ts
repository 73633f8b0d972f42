import type { Attachment, ContentType, ConversationId, GroupId, MessageChange, UserId } from '@qunxin/contracts'

/** What may have come of a message since it was stored. */
export interface Changed {
  /** Its author took it back: text and attachment are gone. Of an edit: the message it was for was taken back. */
  recalled?: true
  /** When its text was replaced last (ms). */
  edited?: number
}

/** A message as the log keeps it: what was accepted, where it stands in its conversation, and when the server had it. */
export interface Message extends Changed {
  conversation: ConversationId
  /** From 1, contiguous, never reused. */
  seq: number
  /** Milliseconds, strictly increasing inside a conversation. */
  at: number
  from: UserId
  /** Personal messages only. */
  to?: UserId
  /** Group messages only. */
  group?: GroupId
  msgId: string
  /** Of the content: tells a repeat from another message under the same msgId. */
  hash: string
  type: ContentType
  text: string
  attachment?: Attachment
  /** The client's clock, milliseconds. */
  sentAt?: number
  /** The text as UTF-8, while it is at hand and JSON would not write any of it otherwise. */
  utf8?: Uint8Array | undefined
  /** This is no message, but the recall or the edit of an earlier one by the same author. */
  change?: MessageChange
}

/** Is this nothing but a text, which nothing has come of? Nearly all messages are: what is written of each can be written straight. */
export function isPlain({ attachment, change, recalled, edited }: Message): boolean {
  return attachment === undefined && change === undefined && recalled === undefined && edited === undefined
}

/** What a repeat of a send is answered with. */
export interface Original extends Changed {
  seq: number
  at: number
  hash: string
}

/** The key of idempotency: who sent what where. */
export interface MessageKey {
  conversation: ConversationId
  from: UserId
  msgId: string
}
