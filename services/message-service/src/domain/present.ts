import { type ChatRecord, contentTypes, type MessageState, type MsgModel, type UserId } from '@qunxin/contracts'
import type { Changed, Message } from './message.ts'

/** How far a reader is; cumulative. */
export interface Cursor {
  deliveredSeq: number
  readSeq: number
}

/** Of who has had nothing yet. */
export const AT_START: Readonly<Cursor> = { deliveredSeq: 0, readSeq: 0 }

export function further(one: Cursor, other: Cursor): Cursor {
  return {
    deliveredSeq: Math.max(one.deliveredSeq, other.deliveredSeq),
    readSeq: Math.max(one.readSeq, other.readSeq),
  }
}

/** Where a member of a group is: who joined has had and read everything before. */
export function sinceJoining(cursor: Cursor, joinedSeq: number): Cursor {
  return joinedSeq === 0 ? cursor : further(cursor, { deliveredSeq: joinedSeq, readSeq: joinedSeq })
}

/** Protocol §5: 3 when the reader has read it, 2 when it reached them, else 1. */
export function stateOf(seq: number, reader: Cursor | undefined): MessageState {
  if (!reader) return 1
  if (reader.readSeq >= seq) return 3
  return reader.deliveredSeq >= seq ? 2 : 1
}

/**
 * How far the slowest current members of a group are: the two lowest of each cursor, so that the author of a message can be
 * left out and everybody else's lowest is still known.
 */
export interface Floor {
  delivered: FloorEntry[]
  read: FloorEntry[]
}
export type FloorEntry = [user: UserId, seq: number]

/** Protocol §5: 3 when all other members have read it, 2 when it reached them all; 1 also where there is nobody else. */
export function stateInGroup({ seq, from }: Pick<Message, 'seq' | 'from'>, floor: Floor | undefined): MessageState {
  if (!floor) return 1
  if (lowestOfOthers(floor.read, from) >= seq) return 3
  return lowestOfOthers(floor.delivered, from) >= seq ? 2 : 1
}

function lowestOfOthers(entries: readonly FloorEntry[], author: UserId): number {
  const seqs = entries.filter(([user]) => user !== author).map(([, seq]) => seq)
  return seqs.length === 0 ? 0 : Math.min(...seqs)
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
  if (message.change) model.change = message.change
  return withChanged(model, message)
}

function withChanged<T extends Pick<MsgModel, 'recalled' | 'edited'>>(shown: T, { recalled, edited }: Changed): T {
  if (recalled) shown.recalled = true
  if (edited !== undefined) shown.edited = edited
  return shown
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
  Object.assign(record, Object.fromEntries(fields.map((field) => [field, attachment?.[field] ?? EMPTY[field]])))
  return withChanged(record, message)
}
