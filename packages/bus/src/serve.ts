import { headers, type Msg } from '@nats-io/transport-node'
import {
  errors,
  type InputOf,
  type OperationName,
  type OperationNames,
  type Operations,
  type OutputOf,
  operations,
  type UserId,
} from '@qunxin/contracts'
import { AppError, type Logger, toAppError, validate } from '@qunxin/runtime'
import { PART_HEADER, split } from './parts.ts'

export interface CallContext {
  /** The acting user, from `Im-User`; NATS permissions decide who may set it. Empty when a service acts for nobody. */
  user: UserId
  requestId: string
  /** Milliseconds since 1970: after it nobody waits for the answer any more. */
  deadline: number
}

/** One handler per operation of an area: a missing one does not compile. */
export type HandlersOf<Area extends string> = {
  [Name in OperationNames<Area>]: (
    input: InputOf<Operations[Name]>,
    context: CallContext,
  ) => Promise<OutputOf<Operations[Name]>> | OutputOf<Operations[Name]>
}
export type AnyHandler = (input: never, context: CallContext) => unknown

const decoder = new TextDecoder()

export function contextOf(message: Msg): CallContext {
  const header = (name: string) => message.headers?.get(name) ?? ''
  return {
    user: header('Im-User'),
    requestId: header('Im-Request'),
    deadline: Number(header('Im-Deadline')) || Date.now() + 5_000,
  }
}

/** Answers one request: validates it, runs the handler, and turns whatever comes of it into the reply of protocol §6. */
export async function answer(name: OperationName, handler: AnyHandler, message: Msg, logger: Logger): Promise<void> {
  const context = contextOf(message)
  if (context.deadline < Date.now()) return
  let reply: unknown
  try {
    const raw: unknown = message.data.length === 0 ? {} : parse(message.data)
    const input = validate(operations[name].input, raw)
    reply = { ok: true, result: await handler(input as never, context) }
  } catch (error) {
    const refusal = toAppError(error)
    const level = errors[refusal.code].log
    logger[level](
      {
        operation: name,
        requestId: context.requestId,
        code: refusal.code,
        ...(level === 'error' && { err: refusal.cause ?? refusal }),
      },
      'refused',
    )
    reply = { ok: false, error: { code: refusal.code, info: errors[refusal.code].zh, details: refusal.details } }
  }
  respond(message, Buffer.from(JSON.stringify(reply)))
}

function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(payload))
  } catch {
    throw new AppError('BAD_REQUEST', { details: { field: '', problem: 'the payload is not JSON' } })
  }
}

function respond(message: Msg, payload: Uint8Array): void {
  const parts = split(payload)
  if (parts.length === 1) {
    message.respond(payload)
    return
  }
  parts.forEach((part, index) => {
    const partHeaders = headers()
    partHeaders.set(PART_HEADER, `${index + 1}/${parts.length}`)
    message.respond(part, { headers: partHeaders })
  })
}
