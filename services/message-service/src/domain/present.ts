import { type ChatRecord, contentTypes, type MessageState, type MsgModel } from '@qunxin/contracts'
import type { Message } from './message.ts'

/** How far a reader is; cumulative. */
export interface Cursor {
  deliveredSeq: number
  readSeq: number
}

/** Protocol §5: 3 when the reader has read it, 2 when it reached them, else 1. */
export function stateOf(seq: number, reader: Cursor | undefined): MessageState {
  if (!reader) return 1
  if (reader.readSeq >= seq) return 3
  return reader.deliveredSeq >= seq ? 2 : 1
}

/** Seed B, MsgModel. */
export function toMsgModel(message: Message, state: MessageState): MsgModel {
  const model: MsgModel = {
    fromUserId: Number(message.from),
    toUserId: message.group === undefined ? Number(message.to) : 0,
    contentStr: message.text,
    serverReceiveDate: message.at,
    msgId: message.msgId,
    msgContentType: message.type,
    sessionId: message.group ?? '',
    state,
    seq: message.seq,
  }
  if (message.sentAt !== undefined) model.sendDate = message.sentAt
  if (message.attachment) Object.assign(model, message.attachment)
  return model
}

const EMPTY = { url: '', filename: '', secret: '', addr: '', length: 0, lat: 0, lng: 0 } as const

/** Seed A, call 8: a record has all the fields of its type, empty ones included, and none of another type. */
export function toChatRecord(message: Message, state: MessageState): ChatRecord {
  const { word, fields } = contentTypes[message.type]
  const record: ChatRecord = {
    fromId: message.from,
    msg_id: message.msgId,
    chat_type: message.group === undefined ? 'chat' : 'groupchat',
    msg: message.text,
    type: word,
    timestamp: message.at,
    toId: message.group ?? message.to ?? '',
    seq: message.seq,
    state,
  }
  const attachment = message.attachment
  return Object.assign(record, Object.fromEntries(fields.map((field) => [field, attachment?.[field] ?? EMPTY[field]])))
}
