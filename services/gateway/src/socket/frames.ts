import { randomUUID } from 'node:crypto'
import { errors } from '@qunxin/contracts'
import { type Logger, toAppError } from '@qunxin/runtime'
import type { Calls } from '../calls/calls.ts'
import { answerTo, refusalTo, type TaskId, taskIdOf } from '../calls/present.ts'
import type { SubmitSend } from '../calls/send-call.ts'
import type { Limits } from '../limits/limits.ts'
import { type Row, rowOfTag } from '../surface.ts'
import type { Connection } from './connection.ts'
import { type Incoming, readFrame } from './incoming.ts'
import { refuseFrame, tellError } from './refusals.ts'
import { MAX_PENDING, sendFrame } from './send-frame.ts'

/** A flood that goes on for so long ends the connection. */
const FLOOD_MS = 5_000
/** Frames before the binding: a client needs two. */
const MAX_EARLY = 100
/** What may wait behind getUserId. */
const MAX_WAITING = { frames: 200, bytes: 256 * 1024 }

export interface FramesOptions {
  calls: Calls
  sends: SubmitSend
  limits: Limits
  logger: Logger
  canConnect(): boolean
  /** getUserId, on a connection that has no user yet. */
  bind(connection: Connection, incoming: Incoming): void
  /** getUserId, on one that has. */
  bindAgain(connection: Connection, incoming: Incoming): void
}

/** Every frame a client sends comes through here. Whatever is in it, it is answered and the connection lives. */
export class Frames {
  readonly #options: FramesOptions

  constructor(options: FramesOptions) {
    this.#options = options
  }

  take(connection: Connection, data: Buffer, isBinary: boolean) {
    connection.alive = true
    if (connection.stage === 'closed') return
    if (connection.stage === 'binding') return wait(connection, data, isBinary)
    const incoming = readFrame(data, isBinary)
    if (connection.stage === 'unbound') this.#early(connection, incoming)
    else this.#bound(connection, incoming)
  }

  /** Handles what came behind getUserId, in order. A frame of it may be a getUserId again. */
  takeWaiting(connection: Connection) {
    const waiting = connection.waiting ?? []
    connection.waiting = undefined
    for (const { data, isBinary } of waiting) this.take(connection, data, isBinary)
  }

  #early(connection: Connection, incoming: Incoming | undefined) {
    if (++connection.early > MAX_EARLY) return connection.close(1008)
    if (!incoming) return tellError(connection, 'BAD_REQUEST')
    if (incoming.tag === 'canConnect') return connection.tell('canConnect', this.#options.canConnect())
    if (incoming.tag === 'getUserId') return this.#options.bind(connection, incoming)
    tellError(connection, 'NOT_BOUND', incoming)
  }

  #bound(connection: Connection, incoming: Incoming | undefined) {
    const { limits, sends } = this.#options
    const { principal } = connection
    if (!principal) return
    const taken = limits.take(connection.userId, Date.now())
    if (!taken.ok) {
      if (taken.floodingSinceMs >= FLOOD_MS) return connection.close(4029)
      return refuseFrame(connection, incoming, 'RATE_LIMITED')
    }
    if (!incoming) return tellError(connection, 'BAD_REQUEST')
    if (incoming.tag === 'canConnect') return connection.tell('canConnect', this.#options.canConnect())
    if (connection.leaving) return refuseFrame(connection, incoming, 'UNAVAILABLE')
    if (incoming.tag === 'message') return sendFrame(connection, incoming, principal, sends)
    if (incoming.tag === 'getUserId') return this.#options.bindAgain(connection, incoming)
    const row = rowOfTag.get(incoming.tag)
    if (row) void this.#call(connection, row, incoming)
    else tellError(connection, 'UNKNOWN_OPERATION', incoming)
  }

  /** Answered when it is done, whatever was asked before or behind it. */
  async #call(connection: Connection, row: Row, { tag, data }: Incoming): Promise<void> {
    const { principal, language, id: conn } = connection
    if (!principal) return
    if (connection.pending >= MAX_PENDING) return refuseFrame(connection, { tag, data }, 'UNAVAILABLE')
    connection.pending += 1
    const requestId = randomUUID()
    let taskId: TaskId
    try {
      taskId = taskIdOf(data)
      const output = await this.#options.calls.call(row, { principal, data, requestId, counted: true, conn })
      connection.tell(tag, answerTo(row, output, { taskId, language }))
    } catch (error) {
      const refusal = toAppError(error)
      const { log } = errors[refusal.code]
      const fault = log === 'error' ? { err: refusal.cause ?? refusal } : {}
      this.#options.logger[log]({ operation: row.operation.name, requestId, code: refusal.code, ...fault }, 'refused')
      connection.tell(tag, refusalTo(refusal, { taskId, language }))
    } finally {
      connection.settled()
    }
  }
}

function wait(connection: Connection, data: Buffer, isBinary: boolean) {
  connection.waiting ??= []
  const bytes = connection.waiting.reduce((sum, one) => sum + one.data.length, data.length)
  if (connection.waiting.length < MAX_WAITING.frames && bytes <= MAX_WAITING.bytes)
    connection.waiting.push({ data, isBinary })
  else refuseFrame(connection, readFrame(data, isBinary), 'RATE_LIMITED')
}
