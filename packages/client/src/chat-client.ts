import type { Bound, ErrorFrame, MessageAck, MsgModel, OutputOf, SendOutput, sync } from '@qunxin/contracts'
import { reconnectDelay } from './backoff.ts'
import { CallError, timedOut, unavailable } from './call-error.ts'
import { Calls } from './calls.ts'
import { reactionTo } from './close-codes.ts'
import { nameOf, type Peer } from './conversation-name.ts'
import { type ClientEvents, Events } from './events.ts'
import { Inbox } from './inbox.ts'
import { Marks } from './marks.ts'
import { newMsgId } from './msg-id.ts'
import type { ConnectOptions, OutgoingContent, Position } from './options.ts'
import { Outbox } from './outbox.ts'
import { TypedCalls } from './typed-calls.ts'
import { Typing } from './typing.ts'
import { openSocket, socketUrl, type WebSocketClass, type WebSocketLike } from './web-socket.ts'

/** One user's connection, which comes back by itself. Made by `connect`. */
export class ChatClient extends TypedCalls {
  readonly #options: ConnectOptions
  readonly #WebSocket: WebSocketClass
  readonly #events = new Events()
  readonly #outbox: Outbox
  readonly #calls: Calls
  readonly #inbox: Inbox
  readonly #typing = new Typing()
  readonly #marks = new Marks((tag, data) => this.#write(tag, data))
  #socket: WebSocketLike | undefined
  #bound: Bound | undefined
  #ready = Promise.withResolvers<Bound>()
  #lastError: ErrorFrame | undefined
  /** When a frame came last. */
  #heardAt = 0
  /** What came right behind the first `bound`: it waits until who awaits that has had the time to listen. */
  #early: { tag: string; data: unknown }[] | undefined
  #listened = false
  #failures = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(options: ConnectOptions) {
    super()
    const WebSocket = options.WebSocket ?? (globalThis.WebSocket as WebSocketClass | undefined)
    if (!WebSocket) throw new TypeError('this platform has no WebSocket: pass one')
    this.#options = options
    this.#WebSocket = WebSocket
    this.#calls = new Calls(options.callTimeoutMs ?? 10_000)
    this.#outbox = new Outbox((message) => this.#write('message', message), options.sendTimeoutMs ?? 60_000)
    this.#inbox = new Inbox({
      userId: this.userId,
      events: this.#events,
      ...(options.sync && {
        sync: {
          call: (positions, newAfter) => this.#start('sync', { positions, newAfter }) as Promise<OutputOf<typeof sync>>,
          received: (name, seq) => this.#marks.received(name, seq),
          positions: options.positions,
        },
      }),
      isOutgoing: (message) => message.fromUserId === this.userId && this.#outbox.has(message),
    })
    this.#events.on('reset', ({ reason, ...name }) => {
      if (reason === 'ahead') this.#marks.forget(name)
    })
    this.#ready.promise.catch(() => {})
    void this.#open()
  }

  get userId(): number {
    return Number(this.#options.userId)
  }

  /** What the server said when it bound this connection; undefined while there is none. */
  get bound(): Bound | undefined {
    return this.#bound
  }

  /** Resolves when frames flow, at once or after the reconnection that is under way. */
  get ready(): Promise<Bound> {
    return this.#ready.promise
  }

  /** How far every conversation has been given: to be kept by an application that wants to go on from there later. */
  get positions(): Position[] {
    return this.#inbox.positions
  }

  on<K extends keyof ClientEvents>(name: K, listener: (event: ClientEvents[K]) => void): () => void {
    return this.#events.on(name, listener)
  }

  /**
   * Sends a message and resolves when the server has stored it. Sent again by itself, with the same msgId, after a loss of the
   * connection and after refusals that allow it.
   *
   * @throws CallError when it is refused for good, or not acknowledged within `sendTimeoutMs`; RATE_LIMITED with `retryAfterMs`
   *   at once when a group's slow mode asks for a longer pause than that
   */
  async send(content: OutgoingContent): Promise<SendOutput> {
    const { to, group, text = '', type = 1, msgId = newMsgId(), ...attachment } = content
    if ((to === undefined) === (group === undefined)) throw new TypeError('a message goes to a user or to a group')
    if (this.#closed) throw unavailable('the connection is closed')
    return this.#outbox.send({
      fromUserId: this.userId,
      toUserId: Number(to ?? 0),
      sessionId: group ?? '',
      msgId,
      msgContentType: String(type),
      contentStr: text,
      sendDate: Date.now(),
      ...attachment,
    })
  }

  /**
   * Calls an operation by its tag; userId and taskId are added.
   *
   * @throws CallError with the refusal's number; UNAVAILABLE when the connection is lost before the answer
   */
  async call<R = unknown>(tag: string, data: Record<string, unknown> = {}): Promise<R> {
    await this.#ready.promise
    return this.#start(tag, data) as Promise<R>
  }

  /** The user has read up to `seq`: told to the server now or as soon as there is a connection, and again if one got lost. */
  markRead({ seq, ...peer }: Peer & { seq: number }): void {
    this.#marks.read(nameOf(peer), seq)
  }

  /** Lets the others see that the user is writing. To be called with every key: the server passes it on every 2 s. */
  typing(peer: Peer): void {
    const name = nameOf(peer)
    if (this.#typing.mayTell(name)) this.#write('typing', name)
  }

  /** Sends a frame as it is; false while there is no bound connection. */
  sendFrame(tag: string, data: unknown): boolean {
    return this.#write(tag, data)
  }

  /** Leaves for good. What is not acknowledged yet is rejected. */
  close(): void {
    if (this.#closed) return
    const socket = this.#socket
    this.#marks.close()
    this.#end(new CallError(5002, 'the connection is closed'))
    socket?.close(1000)
  }

  #start(tag: string, data: Record<string, unknown>): Promise<unknown> {
    return this.#calls.start((taskId) => this.#write(tag, { userId: this.userId, ...data, taskId }))
  }

  #write(tag: string, data: unknown): boolean {
    if (!this.#socket || !this.#bound) return false
    this.#socket.send(JSON.stringify({ tag, data }))
    return true
  }

  async #open(): Promise<void> {
    const { accessToken, sync, url } = this.#options
    try {
      const token = typeof accessToken === 'string' ? accessToken : await accessToken()
      if (this.#closed) return
      const bind = { userId: this.userId, accessToken: token, ...(sync && { sync }) }
      const socket = openSocket(this.#WebSocket, socketUrl(typeof url === 'string' ? url : url()), {
        open: () => socket.send(JSON.stringify({ tag: 'getUserId', data: bind })),
        frame: ({ tag, data }) => {
          this.#heardAt = Date.now()
          if (this.#early) this.#early.push({ tag, data })
          else this.#frame(tag, data)
        },
        close: (code, reason) => this.#lost(code, reason),
      })
      this.#socket = socket
    } catch (error) {
      // No token, or an address that is none: as good as a connection that failed.
      this.#lost(1006, error instanceof Error ? error.message : String(error))
    }
  }

  #frame(tag: string, data: unknown): void {
    if (tag === 'messageAck') {
      this.#inbox.acknowledged(data as MessageAck)
      this.#events.emit('messageAck', data as MessageAck)
      this.#outbox.answered(data as MessageAck)
    } else if (tag === 'message' || tag === 'messageChanged') {
      // Never an answer, and most of what comes.
      this.#events.emit('frame', { tag, data })
      this.#inbox.take(data as MsgModel)
    } else if (tag === 'bound') this.#isBound(data as Bound)
    else if (!this.#calls.answered(data)) {
      if (tag === 'error') this.#refused(data as ErrorFrame)
      this.#events.emit('frame', { tag, data })
      if (isPush(tag)) this.#events.emit(tag, data as never)
    }
  }

  #refused(error: ErrorFrame): void {
    this.#lastError = error
    const isMark = error.tag === 'messageReceived' || error.tag === 'messageRead'
    if (isMark && new CallError(error.code, error.info).retryable) this.#marks.refused()
  }

  #isBound(bound: Bound): void {
    this.#bound = bound
    this.#failures = 0
    this.#ready.resolve(bound)
    this.#outbox.sendAll()
    this.#inbox.bound()
    this.#marks.bound()
    this.#events.emit('state', 'bound')
    if (!this.#listened) this.#waitForListeners()
  }

  #waitForListeners(): void {
    this.#listened = true
    this.#early = []
    setTimeout(() => {
      const early = this.#early ?? []
      this.#early = undefined
      for (const { tag, data } of early) this.#frame(tag, data)
    })
  }

  #lost(code: number, reason: string): void {
    if (this.#closed) return
    this.#socket = undefined
    this.#early = undefined
    if (this.#bound) {
      this.#bound = undefined
      this.#ready = Promise.withResolvers<Bound>()
      this.#ready.promise.catch(() => {})
      this.#inbox.connectionLost()
      this.#marks.connectionLost(this.#heardAt)
      this.#calls.connectionLost()
      this.#outbox.connectionLost()
    }
    const reaction = reactionTo(code)
    const final = reaction === 'stop' || (reaction === 'newToken' && typeof this.#options.accessToken === 'string')
    this.#events.emit('close', { code, reason, final })
    if (reaction === 'stop' || final) {
      const { code: number = 5002, info = `closed with ${code} ${reason}` } = this.#lastError ?? {}
      this.#end(new CallError(number, info))
      return
    }
    this.#events.emit('state', 'connecting')
    const failures = this.#failures++
    const usual = reconnectDelay(failures, reaction)
    this.#retry = setTimeout(() => void this.#open(), this.#options.reconnectDelay?.(failures, usual) ?? usual)
  }

  #end(why: CallError): void {
    this.#closed = true
    this.#socket = undefined
    this.#bound = undefined
    this.#early = undefined
    clearTimeout(this.#retry)
    this.#inbox.connectionLost()
    this.#marks.close()
    this.#calls.connectionLost()
    this.#outbox.close()
    this.#ready.reject(why)
    this.#events.emit('state', 'closed')
  }
}

const PUSHES = ['error', 'groupListChanged', 'groupChanged', 'messageState', 'typing'] as const

function isPush(tag: string): tag is (typeof PUSHES)[number] {
  return (PUSHES as readonly string[]).includes(tag)
}

/**
 * Connects, binds and resolves when frames flow.
 *
 * @throws CallError when the server refuses the binding, or nothing answers within `connectTimeoutMs`
 */
export async function connect(options: ConnectOptions): Promise<ChatClient> {
  const client = new ChatClient(options)
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timedOut('no connection in time')), options.connectTimeoutMs ?? 15_000)
  })
  try {
    await Promise.race([client.ready, limit])
    return client
  } catch (error) {
    client.close()
    throw error
  } finally {
    clearTimeout(timer)
  }
}
