import {
  type ConversationId,
  type GroupId,
  groupConversation,
  personalConversation,
  type UserId,
} from '@qunxin/contracts'
import type { NewSend } from '../calls/send-call.ts'
import type { Connection } from './connection.ts'
import { NONE, type ScannedMessage } from './scanned-message.ts'

/** Where a connection has sent last: most send there again. */
export interface LastRow {
  /** The connection's own user. */
  fromUserId: number
  /** 0 for a group. */
  toUserId: number
  group: GroupId | undefined
  to: UserId | undefined
  conversation: ConversationId
}

/**
 * What `entryOf` makes of the message behind the schema, with the text's bytes in place of the text. Undefined when something
 * is wrong with it, which is for the schema to say.
 */
export function sendOf(message: ScannedMessage, connection: Connection): NewSend | undefined {
  const { frame, fromUserId, msgIdAt, msgIdEnd, textAt, textEnd, sendDate } = message
  if (!message.isText || textEnd === 0 || msgIdEnd === 0) return undefined
  const own = connection.lastRow?.fromUserId ?? Number(connection.userId)
  if (fromUserId !== NONE && fromUserId !== own) return undefined
  const row = rowOf(message, connection, own)
  if (!row) return undefined
  // Copied: what came with it is not to be held for as long as this waits.
  const utf8 = Buffer.from(frame.subarray(textAt, textEnd))
  return new ScannedSend(connection, row, { msgId: frame.toString('latin1', msgIdAt, msgIdEnd), utf8, sendDate })
}

function rowOf(message: ScannedMessage, connection: Connection, fromUserId: number): LastRow | undefined {
  const { toUserId, frame, sessionAt, sessionEnd } = message
  const last = connection.lastRow
  const isGroup = sessionEnd > sessionAt
  if (last && !isGroup && last.toUserId === toUserId && toUserId > 0) return last
  if (isGroup) {
    const group = frame.toString('latin1', sessionAt, sessionEnd)
    if (last?.group === group) return last
    connection.lastRow = { fromUserId, toUserId: 0, group, to: undefined, conversation: groupConversation(group) }
  } else {
    if (toUserId <= 0 || toUserId === fromUserId) return undefined
    const to = String(toUserId)
    const conversation = personalConversation(connection.userId, to)
    connection.lastRow = { fromUserId, toUserId, group: undefined, to, conversation }
  }
  return connection.lastRow
}

/** Its text becomes a string when somebody asks for it: nobody does, unless it is refused. */
class ScannedSend implements NewSend {
  id = 0
  readonly conn: string
  readonly conversation: ConversationId
  readonly from: UserId
  readonly msgId: string
  readonly type = 1
  readonly utf8: Buffer
  declare readonly to?: UserId
  declare readonly group?: GroupId
  declare readonly sentAt?: number

  constructor(connection: Connection, row: LastRow, message: { msgId: string; utf8: Buffer; sendDate: number }) {
    this.conn = connection.id
    this.conversation = row.conversation
    this.from = connection.userId
    this.msgId = message.msgId
    this.utf8 = message.utf8
    if (row.to !== undefined) this.to = row.to
    if (row.group !== undefined) this.group = row.group
    if (message.sendDate !== NONE) this.sentAt = message.sendDate
  }

  get text(): string {
    return this.utf8.toString()
  }
}
