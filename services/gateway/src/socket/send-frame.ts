import { type SendAnswer, sendInput, sendMessage } from '@qunxin/contracts'
import { toAppError, validate } from '@qunxin/runtime'
import type { Principal } from '../auth/principal.ts'
import { refuseOthers } from '../calls/calls.ts'
import { entryOf, type NewSend, receiverOf, type SubmitSend } from '../calls/send-call.ts'
import { rowOfTag } from '../surface.ts'
import type { Connection, RefusedFirst } from './connection.ts'
import type { Incoming } from './incoming.ts'
import { type Refusal, refusedAck, refuseFrame, refuseMessage } from './refusals.ts'
import { ScannedMessage } from './scanned-message.ts'
import { sendOf } from './scanned-send.ts'

type Stored = Extract<SendAnswer, { seq: number }>

/** Seed B, sending a message: answered by `messageAck` after the commit. No promise is made, this is the hot path. */
export function sendFrame(connection: Connection, incoming: Incoming, principal: Principal, sends: SubmitSend) {
  let entry: NewSend
  try {
    entry = scanned(connection, incoming) ?? entryOfFrame(connection, incoming, principal)
  } catch (error) {
    return refuseMessage(connection, incoming, { code: toAppError(error).code })
  }
  // Of the frame nothing else is held until the answer comes.
  const { bytes } = incoming
  if (!connection.mayWait(bytes)) {
    sends.refused(entry, 'UNAVAILABLE')
    return refuseMessage(connection, incoming, { code: 'UNAVAILABLE' })
  }
  connection.waits(bytes)
  sends.submit(entry, (answer) => {
    if ('code' in answer) connection.tell('messageAck', refusedAck(entry.msgId, answer, connection.language))
    else connection.tellText(ackText(entry, answer))
    connection.settled(bytes)
  })
}

/** Refuses a frame for now, and when it is a message what its connection has already sent behind it into that conversation likewise. */
export function refuseForNow(
  connection: Connection,
  incoming: Incoming | undefined,
  { sends, ...refusal }: Refusal & { sends: SubmitSend },
) {
  const { principal } = connection
  const isMessage = incoming && principal && isSend(incoming)
  const entry = isMessage ? orUndefined(() => entryOfFrame(connection, incoming, principal)) : undefined
  if (entry) sends.refused(entry, refusal.code)
  refuseFrame(connection, incoming, refusal)
}

/** Undefined for what is no message. */
export function refusedFirst(incoming: Incoming): RefusedFirst | undefined {
  const input = isSend(incoming) ? sendInput.safeParse(incoming.data).data : undefined
  return input && { msgId: input.msgId, sessionId: input.sessionId, toUserId: input.toUserId }
}

/** Refuses what the connection sends behind it into that conversation likewise, from now on. */
export function closeRow({ id: conn, userId }: Connection, first: RefusedFirst, sends: SubmitSend): void {
  const receiver = orUndefined(() => receiverOf(first, userId))
  if (receiver) sends.refused({ conn, conversation: receiver.conversation, msgId: first.msgId }, 'RATE_LIMITED')
}

function isSend({ tag }: Incoming): boolean {
  return tag === 'message' || rowOfTag.get(tag)?.operation === sendMessage
}

function scanned(connection: Connection, incoming: Incoming): NewSend | undefined {
  return incoming instanceof ScannedMessage ? sendOf(incoming, connection) : undefined
}

/** What could not be stored anyway closes no row: its resend would not open it. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** @throws AppError when it is no message that can be sent */
function entryOfFrame(connection: Connection, { data }: Incoming, principal: Principal): NewSend {
  const input = validate(sendInput, data)
  refuseOthers(data as Record<string, unknown>, principal)
  return entryOf(input, connection.userId, connection.id)
}

/** A MessageAck, written out: nothing in it is to be escaped. */
function ackText({ msgId, group, to }: NewSend, { seq, at, duplicate }: Stored): string {
  const name = group === undefined ? `"sessionId":"","peerUserId":${to}` : `"sessionId":"${group}","peerUserId":0`
  const place = `"seq":${seq},"serverReceiveDate":${at},"state":1${duplicate ? ',"duplicate":true' : ''}`
  return `{"tag":"messageAck","data":{"msgId":"${msgId}",${name},${place}}}`
}
