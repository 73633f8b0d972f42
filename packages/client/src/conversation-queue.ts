import type { SendOutput } from '@qunxin/contracts'
import { type CallError, timedOut, unavailable } from './call-error.ts'

/** The server answers within 5 s, TIMEOUT at the latest; after this long the answer itself is taken for lost. */
const ANSWER_LOST_MS = 8_000
const RETRY_FIRST_MS = 100
const RETRY_LONGEST_MS = 5_000

export interface OutgoingMessage {
  msgId: string
  sessionId: string
  toUserId: number
  [field: string]: unknown
}

export interface Entry {
  message: OutgoingMessage
  giveUpAt: number
  resolve(ack: SendOutput): void
  reject(error: CallError): void
  /** When it was last written to a connection that is still there. */
  sentAt?: number | undefined
}

/**
 * The sends into one conversation that have no final answer yet, in the order of the calls. As long as one of them waits to be
 * sent again, those behind it wait too: so the log's order is the order of the calls, whatever was lost on the way.
 */
export class ConversationQueue {
  readonly #entries = new Map<string, Entry>()
  readonly #write: (message: OutgoingMessage) => boolean
  #failures = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #due = false

  constructor(write: (message: OutgoingMessage) => boolean) {
    this.#write = write
  }

  get size(): number {
    return this.#entries.size
  }

  has(msgId: string): boolean {
    return this.#entries.has(msgId)
  }

  add(entry: Entry): void {
    const blocked = [...this.#entries.values()].some(({ sentAt }) => sentAt === undefined)
    this.#entries.set(entry.message.msgId, entry)
    if (!blocked) this.#put(entry)
  }

  acknowledged(msgId: string, ack: SendOutput): void {
    this.#failures = 0
    this.#take(msgId)?.resolve(ack)
    this.#resendIfDue()
  }

  refused(msgId: string, error: CallError): void {
    const entry = this.#entries.get(msgId)
    if (!entry) return
    if (error.retryable && Date.now() < entry.giveUpAt) {
      entry.sentAt = undefined
      this.#resendLater()
    } else {
      this.#take(msgId)?.reject(error)
      this.#resendIfDue()
    }
  }

  /** A connection is bound: nobody knows what of the last one arrived, so everything goes out again. */
  sendAll(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#due = false
    for (const entry of this.#entries.values()) this.#put(entry)
  }

  connectionLost(): void {
    for (const entry of this.#entries.values()) entry.sentAt = undefined
  }

  /** Gives up what is too old, and takes answers for lost that should have come long ago. */
  tick(now: number): void {
    for (const [msgId, { giveUpAt, sentAt }] of [...this.#entries]) {
      if (now >= giveUpAt) this.refused(msgId, unavailable('not acknowledged in time'))
      else if (sentAt !== undefined && now - sentAt >= ANSWER_LOST_MS) this.refused(msgId, timedOut('no answer came'))
    }
  }

  close(error: CallError): void {
    clearTimeout(this.#retry)
    for (const msgId of [...this.#entries.keys()]) this.#take(msgId)?.reject(error)
  }

  #put(entry: Entry): void {
    entry.sentAt = this.#write(entry.message) ? Date.now() : undefined
  }

  #take(msgId: string): Entry | undefined {
    const entry = this.#entries.get(msgId)
    this.#entries.delete(msgId)
    return entry
  }

  #resendLater(): void {
    if (this.#retry !== undefined) return
    const full = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** this.#failures++)
    this.#retry = setTimeout(
      () => {
        this.#retry = undefined
        this.#due = true
        this.#resendIfDue()
      },
      full / 2 + (Math.random() * full) / 2,
    )
  }

  /** What waits goes out in order, but not before everything on its way has its answer. */
  #resendIfDue(): void {
    if (!this.#due || [...this.#entries.values()].some(({ sentAt }) => sentAt !== undefined)) return
    this.#due = false
    for (const entry of this.#entries.values()) this.#put(entry)
  }
}
