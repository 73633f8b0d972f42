import { errors, errorText, type MessageAck, nameFor, type SendAnswer, sendInput } from '@qunxin/contracts'
import { toAppError, validate } from '@qunxin/runtime'
import type { Principal } from '../auth/principal.ts'
import { refuseOthers } from '../calls/calls.ts'
import { entryOf, type NewSend, type SubmitSend } from '../calls/send-call.ts'
import type { Connection } from './connection.ts'
import type { Incoming } from './incoming.ts'
import { refuseMessage } from './refusals.ts'

/** Sends and calls of one connection that may wait for an answer at once. */
export const MAX_PENDING = 1_000

/** Seed B, sending a message: answered by `messageAck` after the commit. No promise is made, this is the hot path. */
export function sendFrame(connection: Connection, incoming: Incoming, principal: Principal, sends: SubmitSend) {
  let entry: NewSend
  try {
    const input = validate(sendInput, incoming.data)
    refuseOthers(incoming.data as Record<string, unknown>, principal)
    entry = entryOf(input, connection.userId, connection.id)
  } catch (error) {
    return refuseMessage(connection, incoming, toAppError(error).code)
  }
  if (connection.pending >= MAX_PENDING) return refuseMessage(connection, incoming, 'UNAVAILABLE')
  connection.pending += 1
  sends.submit(entry, (answer) => {
    connection.tell('messageAck', ackOf(connection, entry, answer))
    connection.settled()
  })
}

function ackOf(connection: Connection, { msgId, conversation }: NewSend, answer: SendAnswer): MessageAck {
  if ('code' in answer)
    return { msgId, code: errors[answer.code].number, info: errorText(answer.code, connection.language) }
  return {
    msgId,
    ...nameFor(conversation, connection.userId),
    seq: answer.seq,
    serverReceiveDate: answer.at,
    state: 1,
    ...(answer.duplicate && { duplicate: true }),
  }
}
