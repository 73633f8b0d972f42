import type { SendOutput } from '@qunxin/contracts'
import { type CallError, timedOut, unavailable } from './call-error.ts'

/** The server answers within 5 s, TIMEOUT at the latest; after this long the answer itself is taken for lost. */
const ANSWER_LOST_MS = 8_000
const RETRY_FIRST_MS = 100
const RETRY_LONGEST_MS = 5_000
/** The server takes a flood for over after a second's pause only: who comes again sooner each time is closed 4029 in the end. */
const FLOOD_OVER_MS = 1_000
/** On their way at once; a backlog goes out as fast as it is answered rather than in one heap. */
const WINDOW = 100

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
  /** How many may be on their way: one after the server said when to come again, twice as many with each that it takes. */
  #window = WINDOW
  #inFlight = 0
  #failures = 0
  /** Set by a refusal: nothing goes out before everything on its way has its answer and the pause is over. */
  #held = false
  #pause: ReturnType<typeof setTimeout> | undefined

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
    this.#entries.set(entry.message.msgId, entry)
    this.#advance()
  }

  acknowledged(msgId: string, ack: SendOutput): void {
    this.#failures = 0
    this.#window = Math.min(WINDOW, this.#window * 2)
    this.#take(msgId)?.resolve(ack)
    this.#advance()
  }

  refused(msgId: string, error: CallError): void {
    const entry = this.#entries.get(msgId)
    if (!entry) return
    const { retryAfterMs = 0 } = error
    // One that may not go before it is given up need not wait, nor keep the others waiting: in slow mode that may be an hour.
    if (error.retryable && Date.now() + retryAfterMs < entry.giveUpAt) {
      this.#landed(entry)
      if (retryAfterMs > 0) this.#window = 1
      this.#hold(retryAfterMs > 0 ? Math.max(retryAfterMs, FLOOD_OVER_MS) : 0)
    } else this.#take(msgId)?.reject(error)
    this.#advance()
  }

  /** A connection is bound: nobody knows what of the last one arrived, so everything goes out again. */
  sendAll(): void {
    clearTimeout(this.#pause)
    this.#pause = undefined
    this.#held = false
    this.#advance()
  }

  connectionLost(): void {
    for (const entry of this.#entries.values()) this.#landed(entry)
  }

  /** Gives up what is too old, and takes answers for lost that should have come long ago. */
  tick(now: number): void {
    for (const [msgId, { giveUpAt, sentAt }] of [...this.#entries]) {
      if (now >= giveUpAt) this.refused(msgId, unavailable('not acknowledged in time'))
      else if (sentAt !== undefined && now - sentAt >= ANSWER_LOST_MS) this.refused(msgId, timedOut('no answer came'))
    }
  }

  close(error: CallError): void {
    clearTimeout(this.#pause)
    for (const msgId of [...this.#entries.keys()]) this.#take(msgId)?.reject(error)
  }

  /** Sends what waits, in order, as far as the window goes. */
  #advance(): void {
    if (this.#held && (this.#inFlight > 0 || this.#pause !== undefined)) return
    this.#held = false
    for (const entry of this.#entries.values()) {
      if (this.#inFlight >= this.#window) return
      if (entry.sentAt !== undefined) continue
      if (!this.#write(entry.message)) return
      entry.sentAt = Date.now()
      this.#inFlight += 1
    }
  }

  #landed(entry: Entry): void {
    if (entry.sentAt !== undefined) this.#inFlight -= 1
    entry.sentAt = undefined
  }

  #take(msgId: string): Entry | undefined {
    const entry = this.#entries.get(msgId)
    if (entry) this.#landed(entry)
    this.#entries.delete(msgId)
    return entry
  }

  #hold(atLeastMs: number): void {
    this.#held = true
    if (this.#pause !== undefined) return
    const full = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** this.#failures++)
    const resume = () => {
      this.#pause = undefined
      this.#advance()
    }
    this.#pause = setTimeout(resume, atLeastMs + full / 2 + (Math.random() * full) / 2)
  }
}
