import { type Attachment, type ContentType, type ConversationId, groupOf, type MessageChange } from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'

export const SEQ_DIGITS = 16

/** `_id` is `<conversation>:<seq>` with leading zeros, so that one index is both the order and the guard of `seq`. */
export interface MessageDocument {
  _id: string
  conversation: ConversationId
  from: string
  to?: string
  msgId: string
  hash: string
  type: ContentType
  text: string
  at: number
  attachment?: Attachment
  sentAt?: number
  change?: MessageChange
  recalled?: true
  edited?: number
}

export function idOf(conversation: ConversationId, seq: number): string {
  return `${conversation}:${String(seq).padStart(SEQ_DIGITS, '0')}`
}

export function seqOf(id: string): number {
  return Number(id.slice(-SEQ_DIGITS))
}

export function conversationIn(id: string): ConversationId {
  return id.slice(0, -SEQ_DIGITS - 1)
}

export function toDocument(message: Message): MessageDocument {
  const document: MessageDocument = {
    _id: idOf(message.conversation, message.seq),
    conversation: message.conversation,
    from: message.from,
    msgId: message.msgId,
    hash: message.hash,
    type: message.type,
    text: message.text,
    at: message.at,
  }
  if (message.to !== undefined) document.to = message.to
  if (message.attachment) document.attachment = message.attachment
  if (message.sentAt !== undefined) document.sentAt = message.sentAt
  if (message.change) document.change = message.change
  if (message.recalled) document.recalled = true
  if (message.edited !== undefined) document.edited = message.edited
  return document
}

export function toMessage(document: MessageDocument): Message {
  const { _id, ...fields } = document
  const message: Message = { ...fields, seq: seqOf(_id) }
  const group = groupOf(document.conversation)
  if (group !== undefined) message.group = group
  return message
}
