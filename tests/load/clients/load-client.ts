import { ChatClient, type WebSocketClass } from '@qunxin/client'
import { conversationOfMessage, groupOf, type MsgModel, peerOf } from '@qunxin/contracts'
import { WebSocket } from 'ws'
import type { History } from '../history.ts'
import { Reader } from './reader.ts'
import { type RunClient, type RunClientOptions, SEND_TIMEOUT_MS, type SendOptions } from './run-client.ts'
import { writeTold } from './told.ts'
import type { Watcher } from './watcher.ts'

/** A gateway that stands still accepts connections and never answers. */
const HANDSHAKE_TIMEOUT_MS = 5_000

export interface LoadClientOptions extends RunClientOptions {
  sync: boolean
  /** Says what it has read; `some` of it only. */
  reads?: 'all' | 'some' | undefined
}

/** One user with one device: the SDK, told which connection is which, and everything it does and sees written down. */
export class LoadClient implements RunClient {
  readonly index: number
  readonly userId: number
  readonly accessToken: string
  readonly chat: ChatClient
  outstanding = 0
  ended: string | undefined
  readonly #history: History
  readonly #watcher: Watcher
  readonly #reader: Reader | undefined
  #socket: WebSocket | undefined
  #connection: number | undefined
  #openedAt = 0
  #boundAt = 0
  #awayMs: number | undefined
  #answersPing = true

  constructor(options: LoadClientOptions) {
    const { userId, accessToken, sync, urls, history, watcher } = options
    this.userId = userId
    this.accessToken = accessToken
    this.index = history.addClient(userId, { sync })
    this.#history = history
    this.#watcher = watcher
    let next = options.gateway
    this.chat = new ChatClient({
      url: () => urls[next++ % urls.length] as string,
      userId,
      accessToken: () => accessToken,
      sync,
      WebSocket: this.#socketClass(),
      sendTimeoutMs: SEND_TIMEOUT_MS,
      reconnectDelay: (_, usual) => this.#takePause() ?? usual,
    })
    this.chat.on('state', (state) => state === 'bound' && this.#isBound())
    this.chat.on('close', ({ code, reason, final }) => this.#closed(final ? `${code} ${reason}` : undefined))
    if (options.reads) {
      const sometimes = options.reads === 'some'
      this.#reader = new Reader({ chat: this.chat, history, client: this.index, userId, sometimes })
    }
    // The frames themselves: what the SDK would leave out as a repeat is a fault of the server's.
    this.chat.on('frame', ({ tag, data }) => tag === 'message' && this.#shown(data as MsgModel))
    this.chat.on('messageState', (state) => writeTold(history, this, state))
    this.chat.on('messageAck', (ack) => {
      const attempt = history.attemptOf(ack.msgId)
      if (!('seq' in ack)) watcher.refusedForNow()
      else if (history.acknowledged(attempt, { seq: ack.seq, at: ack.serverReceiveDate })) watcher.acknowledged(attempt)
    })
  }

  get bound(): boolean {
    return this.#connection !== undefined
  }

  get reading(): boolean {
    return this.#reader?.reading === true
  }

  get ready(): Promise<unknown> {
    return this.chat.ready
  }

  get boundAt(): number {
    return this.#boundAt
  }

  boundSince(time: number): boolean {
    return this.bound && this.#boundAt > time
  }

  /** Resolves when there is an answer, or none will come any more. */
  async send(conversation: number, options: SendOptions = {}): Promise<void> {
    const { id } = this.#history.conversations[conversation] ?? { id: '' }
    const { index, msgId, text } = this.#history.attempt(this.index, conversation, options)
    this.#watcher.attempted()
    const group = groupOf(id)
    const to = group === undefined ? { to: peerOf(id, String(this.userId)) ?? '' } : { group }
    this.outstanding += 1
    try {
      await this.chat.send({ ...to, text, msgId })
    } catch (error) {
      // What was given up after refusals that allow another attempt, or for want of an answer, may be stored all the same.
      if (isFinal(error)) {
        this.#history.refused(index)
        this.#watcher.refused(error.code)
      } else this.#watcher.gaveUp()
    } finally {
      this.outstanding -= 1
      options.settled?.()
    }
  }

  drop(awayMs?: number): void {
    this.#awayMs = awayMs
    this.#socket?.terminate()
  }

  ping(): void {
    if (this.#connection === undefined || this.#socket?.readyState !== WebSocket.OPEN) return
    if (this.#answersPing) {
      this.#answersPing = false
      this.#socket.ping()
    } else this.#socket.terminate()
  }

  close(): void {
    this.#closed(undefined)
    this.chat.close()
  }

  #socketClass(): WebSocketClass {
    const open = (url: string) => {
      const socket = new WebSocket(url, {
        perMessageDeflate: false,
        skipUTF8Validation: true,
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      })
      socket.on('pong', () => {
        this.#answersPing = true
      })
      this.#answersPing = true
      this.#openedAt = performance.now()
      this.#socket = socket
      return socket
    }
    return function (this: unknown, url: string) {
      return open(url)
    } as unknown as WebSocketClass
  }

  #takePause(): number | undefined {
    const pause = this.#awayMs
    this.#awayMs = undefined
    return pause
  }

  /** Its connection as the history knows it; a message that came before `bound` would be no reason to lose it. */
  #isBound(): number {
    if (this.#connection !== undefined) return this.#connection
    const now = performance.now()
    this.#boundAt = now
    this.#connection = this.#history.connected(this.index, now)
    this.#watcher.connected(this.#openedAt, now)
    return this.#connection
  }

  #closed(finally_: string | undefined): void {
    if (finally_ !== undefined) this.ended = finally_
    if (this.#connection === undefined) return
    this.#history.disconnected(this.#connection)
    this.#connection = undefined
    this.#watcher.disconnected()
  }

  #shown(message: MsgModel): void {
    const { fromUserId, seq, msgId, contentStr: text, serverReceiveDate: at } = message
    const conversation = this.#history.conversation(conversationOfMessage(message))
    const seen = { seq, msgId, fromUserId, text, at }
    const attempt = this.#history.showed(this.#isBound(), conversation, seen)
    this.#watcher.delivered(attempt, this.#boundAt)
    if (fromUserId !== this.userId) this.#reader?.shown(conversation, seq)
  }
}

function isFinal(error: unknown): error is { code: number; retryable: false } {
  return error instanceof Error && 'retryable' in error && error.retryable === false
}
