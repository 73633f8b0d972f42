import { type ErrorCode, type ErrorFrame, errors, errorText, type MessageAck, namedMessage } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import { refusalTo, type TaskId, taskIdOf } from '../calls/present.ts'
import { rowOfTag } from '../surface.ts'
import type { Connection } from './connection.ts'
import type { Incoming } from './incoming.ts'

/** `error`: what cannot be answered under a tag of its own (protocol §3). */
export function tellError(connection: Connection, code: ErrorCode, about?: Incoming): void {
  const taskId = about && taskIdIfAny(about.data)
  const error: ErrorFrame = {
    code: errors[code].number,
    info: errorText(code, connection.language),
    ...(about && { tag: about.tag }),
    ...(taskId !== undefined && { taskId }),
  }
  connection.tell('error', error)
}

/** Refuses a frame in the form its tag is answered in. */
export function refuseFrame(connection: Connection, incoming: Incoming | undefined, code: ErrorCode): void {
  if (incoming?.tag === 'message') refuseMessage(connection, incoming, code)
  else if (incoming && rowOfTag.has(incoming.tag)) {
    const asked = { taskId: taskIdIfAny(incoming.data), language: connection.language }
    connection.tell(incoming.tag, refusalTo(new AppError(code), asked))
  } else tellError(connection, code, incoming)
}

/** `messageAck` when there is a msgId to name, else `error`. */
export function refuseMessage(connection: Connection, incoming: Incoming, code: ErrorCode) {
  const named = namedMessage.safeParse(incoming.data)
  if (!named.success) return tellError(connection, code, incoming)
  const refusal: MessageAck = {
    msgId: named.data.msgId,
    code: errors[code].number,
    info: errorText(code, connection.language),
  }
  connection.tell('messageAck', refusal)
}

function taskIdIfAny(data: unknown): TaskId {
  try {
    return taskIdOf(data)
  } catch {
    return undefined
  }
}
