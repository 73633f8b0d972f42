import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { headers, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node'
import {
  type InputOf,
  isErrorCode,
  type Operation,
  type OperationName,
  type OutputOf,
  type UserId,
} from '@qunxin/contracts'
import { AppError, type Logger, withinTime } from '@qunxin/runtime'
import { type ConnectionOptions, connectNats } from './connection.ts'
import { Replies } from './replies.ts'
import { type AnyHandler, answer } from './serve.ts'
import { MAX_UNSENT_BYTES, unsentBytes } from './unsent.ts'

const REQUEST_TIMEOUT_MS = 5_000
/** While nobody serves a subject (a restart), a request is tried again this often until its deadline is near. */
const NO_RESPONDERS_RETRY_MS = 100
/** Requests of one process under way at once; above it the answer is UNAVAILABLE at once, not a growing heap. */
export const MAX_IN_FLIGHT = 5_000
/** Requests of this process that wait for their reply: more than a gateway lets its clients have, so that its own always pass. */
const MAX_ASKING = { requests: 5_000, bytes: 64 * 1024 * 1024 }

/** Callers wait 5 s unless they say otherwise. */
const STOP_SERVING_MS = 6_000
const UNSUBSCRIBE_MS = 1_000
const CLOSE_MS = 1_000

export interface BusOptions extends ConnectionOptions {
  /** First token of every subject: `im`. */
  prefix: string
}

export interface RequestOptions {
  /** The acting user, sent as `Im-User`. */
  user?: UserId | undefined
  requestId?: string | undefined
  timeoutMs?: number | undefined
}

/** Typed request and reply, plain publish and subscribe, over one NATS connection. Subjects are given without the prefix. */
export class Bus {
  readonly nats: NatsConnection
  readonly #prefix: string
  readonly #replies: Replies
  readonly #logger: Logger
  readonly #serving: Subscription[] = []
  readonly #lost: (() => void)[] = []
  readonly #back: (() => void)[] = []
  #connected = true
  #inFlight = 0
  #asking = 0
  #askingBytes = 0

  constructor(nats: NatsConnection, options: BusOptions) {
    this.nats = nats
    this.#prefix = `${options.prefix}.`
    this.#logger = options.logger
    this.#replies = new Replies(nats, options.inboxPrefix)
    void this.#watch()
  }

  /** Core publishes made while disconnected are dropped without a word: the hot path looks here first. */
  get connected(): boolean {
    return this.#connected
  }

  /**
   * Connected, and the server takes what is published. One that stands still is noticed by its missing pongs only, and until
   * then everything published would heap up here.
   */
  get writable(): boolean {
    return this.#connected && unsentBytes(this.nats) < MAX_UNSENT_BYTES
  }

  /** What was published and has not left this process, in bytes. */
  get unsentBytes(): number {
    return unsentBytes(this.nats)
  }

  onDisconnect(callback: () => void): void {
    this.#lost.push(callback)
  }

  /** Called after each reconnect: what was published to us meanwhile is gone. */
  onReconnect(callback: () => void): void {
    this.#back.push(callback)
  }

  /** The NATS subject of a name from `subjects`. */
  subject(name: string): string {
    return this.#prefix + name
  }

  publish(name: string, payload: Uint8Array | string, options?: { reply?: string }): void {
    this.nats.publish(this.#prefix + name, payload, options)
  }

  /** Calls `take` for each message, synchronously and in order; `queue` shares them among the processes of that name. */
  subscribe(name: string, take: (message: Msg) => void, options: { queue?: string } = {}): Subscription {
    return this.nats.subscribe(this.#prefix + name, {
      ...options,
      callback: (error, message) => {
        if (error) return this.#logger.error({ err: error, subject: name }, 'subscription failed')
        try {
          take(message)
        } catch (fault) {
          this.#logger.error({ err: fault, subject: name }, 'message handler failed')
        }
      },
    })
  }

  /**
   * Calls an operation of another service.
   *
   * @throws AppError with the service's refusal; UNAVAILABLE when nobody serves it, TIMEOUT when no answer came in time
   */
  async request<O extends Operation>(
    operation: O,
    input: InputOf<O>,
    options: RequestOptions = {},
  ): Promise<OutputOf<O>> {
    const payload = await this.ask(operation.name, JSON.stringify(input), options)
    const reply = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString()) as
      | { ok: true; result: OutputOf<O> }
      | { ok: false; error: { code: string; details?: Record<string, unknown> } }
    if (reply.ok) return reply.result
    const { code, details } = reply.error
    throw new AppError(isErrorCode(code) ? code : 'INTERNAL', { details })
  }

  /**
   * Publishes to a subject and waits for the first reply. While nobody listens there it tries again until the time is up.
   *
   * @throws AppError UNAVAILABLE when nobody listened, NATS is away or too many wait already, TIMEOUT when no reply came
   *   within `timeoutMs` (5 s)
   */
  async ask(name: string, payload: Uint8Array | string, options: RequestOptions = {}): Promise<Uint8Array> {
    const bytes = payload.length
    if (this.#asking >= MAX_ASKING.requests || this.#askingBytes + bytes > MAX_ASKING.bytes)
      throw new AppError('UNAVAILABLE', { details: { subject: name, problem: 'too many requests under way' } })
    this.#asking += 1
    this.#askingBytes += bytes
    try {
      return await this.#ask(name, payload, options)
    } finally {
      this.#asking -= 1
      this.#askingBytes -= bytes
    }
  }

  async #ask(name: string, payload: Uint8Array | string, options: RequestOptions): Promise<Uint8Array> {
    const timeoutMs = options.timeoutMs ?? REQUEST_TIMEOUT_MS
    const deadline = Date.now() + timeoutMs
    const requestHeaders = headers()
    if (options.user) requestHeaders.set('Im-User', options.user)
    requestHeaders.set('Im-Request', options.requestId ?? randomBytes(6).toString('hex'))
    requestHeaders.set('Im-Deadline', String(deadline))
    for (;;) {
      const left = deadline - Date.now()
      if (left <= 0) throw new AppError('UNAVAILABLE', { details: { subject: name, problem: 'nobody serves it' } })
      if (this.writable) {
        const reply = await this.#replies.first(
          (inbox) => this.nats.publish(this.#prefix + name, payload, { reply: inbox, headers: requestHeaders }),
          left,
        )
        if (reply.kind === 'payload') return reply.payload
        if (reply.kind === 'timeout') throw new AppError('TIMEOUT', { details: { subject: name } })
      }
      await delay(Math.min(NO_RESPONDERS_RETRY_MS, left))
    }
  }

  /**
   * Publishes once and collects replies until `enough` says so or `timeoutMs` is over. Resolves with what came, in any case.
   */
  gather(
    name: string,
    payload: Uint8Array | string,
    options: { enough(replies: readonly Uint8Array[]): boolean; timeoutMs: number },
  ): Promise<Uint8Array[]> {
    return new Promise((resolve) => {
      const replies: Uint8Array[] = []
      const finish = () => {
        clearTimeout(timer)
        inbox.done()
        resolve(replies)
      }
      const timer = setTimeout(finish, options.timeoutMs)
      const inbox = this.#replies.open((reply) => {
        if (reply.kind === 'payload') replies.push(reply.payload)
        if (reply.kind === 'noResponders' || options.enough(replies)) finish()
      })
      this.publish(name, payload, { reply: inbox.subject })
    })
  }

  /** Serves operations in the queue group of that service. */
  serve(handlers: Partial<Record<OperationName, AnyHandler>>, queue: string): void {
    for (const [name, handler] of Object.entries(handlers) as [OperationName, AnyHandler][]) {
      const subscription = this.subscribe(
        name,
        (message) => {
          if (this.#inFlight >= MAX_IN_FLIGHT || !this.writable) {
            message.respond(JSON.stringify({ ok: false, error: { code: 'UNAVAILABLE', info: 'overloaded' } }))
            return
          }
          this.#inFlight += 1
          void answer(name, handler, message, this.#logger)
            .catch((error: unknown) => this.#logger.error({ err: error, operation: name }, 'answering failed'))
            .finally(() => {
              this.#inFlight -= 1
            })
        },
        { queue },
      )
      this.#serving.push(subscription)
    }
  }

  /**
   * Takes no further requests (others of the queue group get them) and waits for those under way, `limitMs` at the most:
   * whoever asked has given up by then. Resolves also when NATS is away and nothing can be answered.
   */
  async stopServing(limitMs = STOP_SERVING_MS): Promise<void> {
    const over = performance.now() + limitMs
    const drained = Promise.all(this.#serving.splice(0).map((subscription) => subscription.drain()))
    await withinTime(UNSUBSCRIBE_MS, drained).catch((error: unknown) =>
      this.#logger.warn({ reason: String(error) }, 'NATS does not confirm that no more requests come'),
    )
    while (this.#inFlight > 0 && performance.now() < over) await delay(5)
    if (this.#inFlight > 0) this.#logger.warn({ requests: this.#inFlight }, 'requests under way are given up')
  }

  /** Resolves when the server has everything published so far. */
  flush(): Promise<void> {
    return this.nats.flush()
  }

  jetstream(): JetStreamClient {
    return jetstream(this.nats)
  }

  jetstreamManager(): Promise<JetStreamManager> {
    return jetstreamManager(this.nats, { checkAPI: false })
  }

  /**
   * From here on it counts as not connected: what is published on a closed connection throws. What was published before goes
   * out first, if the server takes it within a second.
   */
  async close(): Promise<void> {
    const connected = this.#connected
    this.#connected = false
    if (connected && (await ended(this.nats.drain()))) return
    await ended(this.nats.close())
  }

  async #watch(): Promise<void> {
    for await (const status of this.nats.status()) {
      if (status.type === 'disconnect') {
        this.#connected = false
        this.#logger.warn('NATS connection lost, reconnecting')
        for (const callback of this.#lost) callback()
      } else if (status.type === 'reconnect') {
        this.#connected = true
        this.#logger.info('NATS connection is back')
        for (const callback of this.#back) callback()
      } else if (status.type === 'error') this.#logger.error({ err: status.error }, 'NATS reported an error')
    }
  }
}

/** Did it end in time? A server that has fallen silent answers neither. */
async function ended(closing: Promise<void>): Promise<boolean> {
  return withinTime(CLOSE_MS, closing).then(
    () => true,
    () => false,
  )
}

export async function connectBus(options: BusOptions): Promise<Bus> {
  return new Bus(await connectNats(options), options)
}
