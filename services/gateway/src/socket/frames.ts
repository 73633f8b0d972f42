import { randomUUID } from 'node:crypto'
import { errors } from '@qunxin/contracts'
import { type Logger, toAppError } from '@qunxin/runtime'
import type { Calls } from '../calls/calls.ts'
import { answerTo, refusalTo, type TaskId, taskIdOf } from '../calls/present.ts'
import type { SubmitSend } from '../calls/send-call.ts'
import type { Limits, Taken } from '../limits/limits.ts'
import { type Row, rowOfTag } from '../surface.ts'
import type { Connection, Waiting } from './connection.ts'
import { type Incoming, readFrame } from './incoming.ts'
import { refuseFrame, tellError } from './refusals.ts'
import { closeRow, refusedFirst, refuseForNow, sendFrame } from './send-frame.ts'
import { type Notices, silentFrame } from './silent-frame.ts'

/** A flood that goes on for so long ends the connection. */
const FLOOD_MS = 5_000
/** Frames before the binding: a client needs two. */
const MAX_EARLY = 100
/** What may wait behind getUserId … */
const MAX_WAITING = { frames: 200, bytes: 256 * 1024 }
/** … and behind a frame that the user's limit is asked for: from so many on the socket is not read, and what was read has room. */
const MAX_BEHIND = { frames: 4_000, bytes: 1024 * 1024 }
const PAUSED_AT = { frames: 200, bytes: 256 * 1024 }
/** Of all connections: when Redis is slow after a restart these may be thousands. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024
/** Conversations whose messages had no room: so many of one connection are remembered … */
const MAX_REFUSED = 200
/** … and, each with about what it takes, of all connections in so much beside the frames. */
const REFUSED_BYTES = 300
const MAX_REFUSED_BYTES = 16 * 1024 * 1024

export interface FramesOptions {
  calls: Calls
  sends: SubmitSend
  limits: Limits
  /** Where frames go that are never answered. */
  notices: Notices
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
  #waitingBytes = 0

  constructor(options: FramesOptions) {
    this.#options = options
  }

  /** Bytes of the frames that wait for a binding, or for their user's limit. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  take(connection: Connection, data: Buffer, isBinary: boolean) {
    connection.alive = true
    // What was under way when a stop closed it is still done: a client that knows only the seeds does not send it again.
    if (!connection.taken) return
    if (mustWait(connection)) return this.#wait(connection, data, isBinary)
    const incoming = readFrame(data, isBinary)
    if (connection.stage === 'unbound') this.#early(connection, incoming)
    else this.#bound(connection, incoming)
  }

  /** Handles what waited, in order, until one of it needs to wait itself: a getUserId again, or one that the limit is asked for. */
  takeWaiting(connection: Connection) {
    for (;;) {
      const next = connection.waiting?.frames.shift()
      if (!next) break
      this.#counts(connection, -next.data.length)
      this.take(connection, next.data, next.isBinary)
      if (mustWait(connection)) return
    }
    // Only now: closed before, the rows would refuse what waited in front of these.
    for (const first of connection.waiting?.refused?.values() ?? [])
      if (connection.principal) closeRow(connection, first, this.#options.sends)
    this.forget(connection)
    if (connection.socket.isPaused) connection.socket.resume()
  }

  /** Nobody waits for what came from it any more. */
  forget(connection: Connection) {
    this.#waitingBytes -= connection.waiting?.bytes ?? 0
    connection.waiting = undefined
  }

  #wait(connection: Connection, data: Buffer, isBinary: boolean) {
    connection.waiting ??= { frames: [], bytes: 0, refused: undefined }
    const { waiting, asking } = connection
    const most = asking ? MAX_BEHIND : MAX_WAITING
    const bytes = waiting.bytes + data.length
    const full =
      waiting.frames.length >= most.frames || bytes > most.bytes || this.#waitingBytes + data.length > MAX_WAITING_BYTES
    if (full || waiting.refused) return this.#turnAway(connection, waiting, readFrame(data, isBinary))
    waiting.frames.push({ data, isBinary })
    this.#counts(connection, data.length)
    if (asking && (waiting.frames.length >= PAUSED_AT.frames || bytes >= PAUSED_AT.bytes)) connection.socket.pause()
  }

  /** What comes later into the same conversations is refused as well, also when there is room again: it would overtake this. */
  #turnAway(connection: Connection, waiting: Waiting, incoming: Incoming | undefined) {
    waiting.refused ??= new Map()
    const first = incoming && refusedFirst(incoming)
    const row = first?.sessionId ?? `to ${first?.toUserId}`
    if (first && !waiting.refused.has(row)) {
      const fits = this.#waitingBytes + REFUSED_BYTES <= MAX_WAITING_BYTES + MAX_REFUSED_BYTES
      if (waiting.refused.size >= MAX_REFUSED || !fits) return connection.close(4029)
      waiting.refused.set(row, first)
      this.#counts(connection, REFUSED_BYTES)
    }
    refuseFrame(connection, incoming, { code: 'RATE_LIMITED' })
  }

  #counts({ waiting }: Connection, bytes: number) {
    if (!waiting) return
    waiting.bytes += bytes
    this.#waitingBytes += bytes
  }

  #early(connection: Connection, incoming: Incoming | undefined) {
    if (++connection.early > MAX_EARLY) return connection.close(1008)
    if (!incoming) return tellError(connection, 'BAD_REQUEST')
    if (incoming.tag === 'canConnect') return connection.tell('canConnect', this.#options.canConnect())
    if (incoming.tag === 'getUserId') return this.#options.bind(connection, incoming)
    tellError(connection, 'NOT_BOUND', incoming)
  }

  #bound(connection: Connection, incoming: Incoming | undefined) {
    const taken = this.#options.limits.take(connection.userId, Date.now(), connection)
    if (!(taken instanceof Promise)) return this.#counted(connection, incoming, taken)
    connection.asking = true
    void taken.then((answer) => {
      connection.asking = false
      if (connection.taken) this.#counted(connection, incoming, answer)
      this.takeWaiting(connection)
    })
  }

  #counted(connection: Connection, incoming: Incoming | undefined, taken: Taken) {
    const { sends, notices } = this.#options
    const { principal } = connection
    if (!principal) return
    if (!taken.ok) {
      if (taken.floodingSinceMs >= FLOOD_MS) return connection.close(4029)
      const details = { retryAfterMs: taken.retryAfterMs }
      return refuseForNow(connection, incoming, { code: 'RATE_LIMITED', details, sends })
    }
    if (!incoming) return tellError(connection, 'BAD_REQUEST')
    if (incoming.tag === 'canConnect') return connection.tell('canConnect', this.#options.canConnect())
    if (incoming.tag === 'message') return sendFrame(connection, incoming, principal, sends)
    if (incoming.tag === 'getUserId') return this.#options.bindAgain(connection, incoming)
    const row = rowOfTag.get(incoming.tag)
    if (!row) tellError(connection, 'UNKNOWN_OPERATION', incoming)
    else if (row.silent) silentFrame(connection, row, incoming, notices)
    else void this.#call(connection, row, incoming)
  }

  /** Answered when it is done, whatever was asked before or behind it. */
  async #call(connection: Connection, row: Row, incoming: Incoming): Promise<void> {
    const { calls, sends } = this.#options
    const { tag, data, bytes } = incoming
    const { principal, language, id: conn } = connection
    if (!principal) return
    if (!connection.mayWait(bytes) || !calls.mayWait(bytes))
      return refuseForNow(connection, incoming, { code: 'UNAVAILABLE', sends })
    connection.waits(bytes)
    const requestId = randomUUID()
    let taskId: TaskId
    try {
      taskId = taskIdOf(data)
      const output = await calls.call(row, { principal, data, requestId, bytes, counted: true, conn })
      connection.tell(tag, answerTo(row, output, { taskId, language }))
    } catch (error) {
      const refusal = toAppError(error)
      const { log } = errors[refusal.code]
      const fault = log === 'error' ? { err: refusal.cause ?? refusal } : {}
      this.#options.logger[log]({ operation: row.operation.name, requestId, code: refusal.code, ...fault }, 'refused')
      connection.tell(tag, refusalTo(refusal, { taskId, language }))
    } finally {
      connection.settled(bytes)
    }
  }
}

function mustWait({ stage, asking }: Connection): boolean {
  return stage === 'binding' || asking
}
