import { type MessageAck, nameFor, type SendAnswer, sendInput } from '@qunxin/contracts'
import { toAppError, validate } from '@qunxin/runtime'
import type { Principal } from '../auth/principal.ts'
import { refuseOthers } from '../calls/calls.ts'
import { entryOf, type NewSend, type SubmitSend } from '../calls/send-call.ts'
import type { Connection } from './connection.ts'
import type { Incoming } from './incoming.ts'
import { type Refusal, refusedAck, refuseMessage } from './refusals.ts'

/** Seed B, sending a message: answered by `messageAck` after the commit. No promise is made, this is the hot path. */
export function sendFrame(connection: Connection, incoming: Incoming, principal: Principal, sends: SubmitSend) {
  let entry: NewSend
  try {
    entry = entryOfFrame(connection, incoming, principal)
  } catch (error) {
    return refuseMessage(connection, incoming, { code: toAppError(error).code })
  }
  if (!connection.mayWait(incoming.bytes)) return refuseSend(connection, entry, { code: 'UNAVAILABLE' }, sends)
  connection.waits(incoming.bytes)
  sends.submit(entry, (answer) => {
    connection.tell('messageAck', ackOf(connection, entry, answer))
    connection.settled(incoming.bytes)
  })
}

/** Refuses a message for now, and what its connection has already sent behind it into that conversation likewise. */
export function refuseSendFrame(
  connection: Connection,
  incoming: Incoming,
  { principal, sends, ...refusal }: Refusal & { principal: Principal; sends: SubmitSend },
) {
  let entry: NewSend
  try {
    entry = entryOfFrame(connection, incoming, principal)
  } catch {
    return refuseMessage(connection, incoming, refusal)
  }
  refuseSend(connection, entry, refusal, sends)
}

function refuseSend(connection: Connection, entry: NewSend, refusal: Refusal, sends: SubmitSend) {
  sends.refused(entry, refusal.code)
  connection.tell('messageAck', refusedAck(entry.msgId, refusal, connection.language))
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
