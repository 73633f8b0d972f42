import {
  groupConversation,
  type MessageAck,
  nameFor,
  personalConversation,
  type SendAnswer,
  sendInput,
  sendMessage,
} from '@qunxin/contracts'
import { toAppError, validate } from '@qunxin/runtime'
import type { Principal } from '../auth/principal.ts'
import { refuseOthers } from '../calls/calls.ts'
import { entryOf, type NewSend, type SubmitSend } from '../calls/send-call.ts'
import { rowOfTag } from '../surface.ts'
import type { Connection, RefusedFirst } from './connection.ts'
import type { Incoming } from './incoming.ts'
import { type Refusal, refusedAck, refuseFrame, refuseMessage } from './refusals.ts'

/** Seed B, sending a message: answered by `messageAck` after the commit. No promise is made, this is the hot path. */
export function sendFrame(connection: Connection, incoming: Incoming, principal: Principal, sends: SubmitSend) {
  let entry: NewSend
  try {
    entry = entryOfFrame(connection, incoming, principal)
  } catch (error) {
    return refuseMessage(connection, incoming, { code: toAppError(error).code })
  }
  if (!connection.mayWait(incoming.bytes)) return refuseForNow(connection, incoming, { code: 'UNAVAILABLE', sends })
  connection.waits(incoming.bytes)
  sends.submit(entry, (answer) => {
    connection.tell('messageAck', ackOf(connection, entry, answer))
    connection.settled(incoming.bytes)
  })
}

/** Refuses a frame for now, and when it is a message what its connection has already sent behind it into that conversation likewise. */
export function refuseForNow(
  connection: Connection,
  incoming: Incoming | undefined,
  { sends, ...refusal }: Refusal & { sends: SubmitSend },
) {
  const { principal } = connection
  const entry = incoming && principal && isSend(incoming) && entryIfAny(connection, incoming, principal)
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
  const { msgId, sessionId: group, toUserId: to } = first
  if (group !== undefined) sends.refused({ conn, conversation: groupConversation(group), msgId }, 'RATE_LIMITED')
  else if (to !== undefined && to !== '0' && to !== userId)
    sends.refused({ conn, conversation: personalConversation(userId, to), msgId }, 'RATE_LIMITED')
}

function isSend({ tag }: Incoming): boolean {
  return tag === 'message' || rowOfTag.get(tag)?.operation === sendMessage
}

/** What could not be stored anyway closes no row: its resend would not open it. */
function entryIfAny(connection: Connection, incoming: Incoming, principal: Principal): NewSend | undefined {
  try {
    return entryOfFrame(connection, incoming, principal)
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

function ackOf(connection: Connection, { msgId, conversation }: NewSend, answer: SendAnswer): MessageAck {
  if ('code' in answer) return refusedAck(msgId, answer, connection.language)
  return {
    msgId,
    ...nameFor(conversation, connection.userId),
    seq: answer.seq,
    serverReceiveDate: answer.at,
    state: 1,
    ...(answer.duplicate && { duplicate: true }),
  }
}
