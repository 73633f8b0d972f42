import { ChatClient, type WebSocketClass } from '@qunxin/client'
import {
  groupConversation,
  groupOf,
  type MessageStatePush,
  type MsgModel,
  peerOf,
  personalConversation,
} from '@qunxin/contracts'
import { WebSocket } from 'ws'
import type { History } from '../history.ts'
import { Reader } from './reader.ts'
import type { Watcher } from './watcher.ts'

/** Longer than any fault of a run: what has no outcome by then counts as unknown. */
const SEND_TIMEOUT_MS = 120_000
/** A gateway that stands still accepts connections and never answers. */
const HANDSHAKE_TIMEOUT_MS = 5_000

export interface LoadClientOptions {
  userId: number
  accessToken: string
  sync: boolean
  /** Addresses of the gateways; the first connection goes to that of `gateway`, each further one to the next. */
  urls: readonly string[]
  gateway: number
  history: History
  watcher: Watcher
  /** Says what it has read; `some` of it only. */
  reads?: 'all' | 'some' | undefined
}

/** One user with one device: the SDK, told which connection is which, and everything it does and sees written down. */
export class LoadClient {
  readonly index: number
  readonly userId: number
  readonly accessToken: string
  readonly chat: ChatClient
  /** Sends without a final answer. */
  outstanding = 0
  /** Why it will not come back. */
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
    this.chat.on('messageState', (state) => this.#told(state))
    this.chat.on('messageAck', (ack) => {
      const attempt = history.attemptOf(ack.msgId)
      if (!('seq' in ack)) watcher.refusedForNow()
      else if (history.acknowledged(attempt, { seq: ack.seq, at: ack.serverReceiveDate })) watcher.acknowledged(attempt)
    })
  }

  get bound(): boolean {
    return this.#connection !== undefined
  }

  /** Of its newest connection, there or not. */
  get boundAt(): number {
    return this.#boundAt
  }

  /** Whether it is connected, and has not been all the time since then. */
  boundSince(time: number): boolean {
    return this.bound && this.#boundAt > time
  }

  /** Sends, again and again if need be; resolves when there is an answer, or none will come any more. */
  async send(conversation: number, options: { units?: number; intendedAt?: number } = {}): Promise<void> {
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
    }
  }

  /** Cuts the connection as a tunnel or a dead battery does. It comes back by itself: after `awayMs`, or as the SDK sees fit. */
  drop(awayMs?: number): void {
    this.#awayMs = awayMs
    this.#socket?.terminate()
  }

  /** Once in a while: a connection that did not answer the last time is dead, whatever TCP thinks of it. */
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
    const { fromUserId, toUserId, sessionId, seq, msgId, contentStr: text, serverReceiveDate: at } = message
    const id =
      sessionId === '' ? personalConversation(String(fromUserId), String(toUserId)) : groupConversation(sessionId)
    const conversation = this.#history.conversation(id)
    const seen = { seq, msgId, fromUserId, text, at }
    const attempt = this.#history.showed(this.#isBound(), conversation, seen)
    this.#watcher.delivered(attempt, this.#boundAt)
    if (fromUserId !== this.userId) this.#reader?.shown(conversation, seq)
  }

  #told(state: MessageStatePush): void {
    const { sessionId } = state
    if (!('readSeq' in state)) {
      const { seq, deliveredCount: delivered, readCount: read, total } = state
      const conversation = this.#history.conversation(groupConversation(sessionId))
      this.#history.showedTally(this.index, conversation, { seq, delivered, read, total })
      return
    }
    const { peerUserId, deliveredSeq: delivered, readSeq: read, own } = state
    const me = String(this.userId)
    const id = sessionId === '' ? personalConversation(me, String(peerUserId)) : groupConversation(sessionId)
    const userId = own ? this.userId : peerUserId
    this.#history.showedCursor(this.index, this.#history.conversation(id), { userId, delivered, read })
  }
}

function isFinal(error: unknown): error is { code: number; retryable: false } {
  return error instanceof Error && 'retryable' in error && error.retryable === false
}
