import {
  type ErrorCode,
  type ErrorFrame,
  errors,
  errorText,
  type Language,
  type MessageAck,
  namedMessage,
} from '@qunxin/contracts'
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

/** What a frame is refused with. */
export interface Refusal {
  code: ErrorCode
  details?: Record<string, unknown> | undefined
}

/** Refuses a frame in the form its tag is answered in; of one that never is, it is `error` that tells. */
export function refuseFrame(connection: Connection, incoming: Incoming | undefined, refusal: Refusal): void {
  const { code, details } = refusal
  if (incoming?.tag === 'message') refuseMessage(connection, incoming, refusal)
  else if (incoming && isAnswered(incoming)) {
    const asked = { taskId: taskIdIfAny(incoming.data), language: connection.language }
    connection.tell(incoming.tag, refusalTo(new AppError(code, { details }), asked))
  } else tellError(connection, code, incoming)
}

function isAnswered({ tag }: Incoming): boolean {
  const row = rowOfTag.get(tag)
  return row !== undefined && !row.silent
}

/** `messageAck` when there is a msgId to name, else `error`. */
export function refuseMessage(connection: Connection, incoming: Incoming, refusal: Refusal) {
  const named = namedMessage.safeParse(incoming.data)
  if (!named.success) return tellError(connection, refusal.code, incoming)
  connection.tell('messageAck', refusedAck(named.data.msgId, refusal, connection.language))
}

/** Of the details only when to try again is for the client. */
export function refusedAck(msgId: string, { code, details }: Refusal, language: Language): MessageAck {
  const retryAfterMs = details?.retryAfterMs
  return {
    msgId,
    code: errors[code].number,
    info: errorText(code, language),
    ...(typeof retryAfterMs === 'number' && { details: { retryAfterMs } }),
  }
}

function taskIdIfAny(data: unknown): TaskId {
  try {
    return taskIdOf(data)
  } catch {
    return undefined
  }
}
