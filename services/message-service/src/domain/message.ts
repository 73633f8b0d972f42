import type { Attachment, ContentType, ConversationId, GroupId, UserId } from '@qunxin/contracts'

/** A message as the log keeps it: what was accepted, where it stands in its conversation, and when the server had it. */
export interface Message {
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
}

/** What a repeat of a send is answered with. */
export interface Original {
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
