import { setTimeout as delay } from 'node:timers/promises'
import { peerOf } from '@qunxin/contracts'
import type { History } from '../history.ts'
import type { Watcher } from './watcher.ts'

const EVERY_MS = 50
/** Longer than a gateway waits for an answer: what takes longer hangs. */
const ANSWER_WITHIN_MS = 15_000
/** As long as a client of the socket tries. */
const GIVE_UP_MS = 120_000

/** An HTTP answer that a client cannot do anything about. */
export interface ServerError {
  /** As of `performance.now()`. */
  at: number
  gateway: string
  path: string
  status: number
}

export interface CallerOptions {
  /** The one gateway this caller uses, draining or not. */
  url: string
  userId: number
  accessToken: string
  /** Where it sends to. */
  conversation: number
  history: History
  watcher: Watcher
}

/** A user without a socket, who asks and sends by HTTP through one gateway all the time. */
export class Caller {
  readonly index: number
  readonly errors: ServerError[] = []
  answered = 0
  /** No connection to the gateway, as while it is away. */
  unconnected = 0
  readonly #options: CallerOptions
  #running = true
  #ended: Promise<void> | undefined

  constructor(options: CallerOptions) {
    this.#options = options
    this.index = options.history.addClient(options.userId)
    options.history.joined(options.conversation, this.index)
  }

  start(): void {
    this.#ended = this.#run()
  }

  async stop(): Promise<void> {
    this.#running = false
    await this.#ended
  }

  async #run(): Promise<void> {
    while (this.#running) {
      await this.#ask('/canConnect')
      await this.#ask('/chat/group!groupList', {})
      await this.#send()
      await delay(EVERY_MS)
    }
  }

  /** The next one is sent when this one has its outcome, so that their order is the caller's. */
  async #send(): Promise<void> {
    const { history, watcher, conversation, userId } = this.#options
    const { index, msgId, text } = history.attempt(this.index, conversation)
    watcher.attempted()
    const to = peerOf(history.conversations[conversation]?.id ?? '', String(userId))
    const message = { toUserId: to, msgId, msgContentType: '1', sessionId: '', contentStr: text }
    const giveUpAt = performance.now() + GIVE_UP_MS
    while (performance.now() < giveUpAt) {
      const data = await this.#ask('/chat/chat!sendMessage', message)
      if (data?.success === true) {
        const ack = { seq: Number(data.seq), at: Number(data.serverReceiveDate) }
        if (history.acknowledged(index, ack)) watcher.acknowledged(index)
        return
      }
      await delay(EVERY_MS)
    }
    watcher.gaveUp()
  }

  /** What came in `data`; undefined when nothing did, or not in JSON. */
  async #ask(path: string, data?: Record<string, unknown>): Promise<Record<string, unknown> | undefined> {
    const { url, userId, accessToken } = this.#options
    const envelope = JSON.stringify({ headers: { uid: String(userId), accessToken }, data })
    const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: envelope }
    try {
      const response = await fetch(new URL(path, url), {
        ...(data && post),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      })
      this.answered += 1
      if (response.status >= 500)
        this.errors.push({ at: performance.now(), gateway: url, path, status: response.status })
      return ((await response.json()) as { data?: Record<string, unknown> }).data
    } catch {
      this.unconnected += 1
      return undefined
    }
  }
}
