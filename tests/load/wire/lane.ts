import type { Outgoing } from './outgoing.ts'

/** As the SDK's: a server answers within 5 s, so what has none by then is taken for lost, and sent again. */
const ANSWER_LOST_MS = 8_000
const RETRY_FIRST_MS = 100
const RETRY_LONGEST_MS = 5_000
/** Who comes again sooner after RATE_LIMITED has never paused, for the server. */
const FLOOD_OVER_MS = 1_000
const WINDOW = 100
const NOT_ON_ITS_WAY = 0

/** A message without a final answer. */
export interface Entry {
  readonly attempt: number
  readonly units: number
  readonly lane: Lane
  /** Called once there is an answer, or none will come any more. */
  readonly settled: (() => void) | undefined
  /** As of `performance.now()`. */
  readonly giveUpAt: number
  sentAt: number
}

export interface LaneOptions {
  conversation: number
  /** How its messages are written. */
  outgoing: Outgoing
  /** False while there is no bound connection. */
  write(entry: Entry): boolean
}

/**
 * One client's sends into one conversation that have no final answer, in order, sent again as the SDK does: while one of them waits to
 * be sent again those behind it wait too. What is on its way stands in front of what is not, but while it waits so.
 */
export class Lane {
  readonly conversation: number
  readonly outgoing: Outgoing
  readonly #write: (entry: Entry) => boolean
  #entries: Entry[] = []
  #inFlight = 0
  #window = WINDOW
  #failures = 0
  #held = false
  #pause: ReturnType<typeof setTimeout> | undefined

  constructor({ conversation, outgoing, write }: LaneOptions) {
    this.conversation = conversation
    this.outgoing = outgoing
    this.#write = write
  }

  get size(): number {
    return this.#entries.length
  }

  add(entry: Entry, now: number): void {
    this.#entries.push(entry)
    this.#advance(now)
  }

  /** The entry it settles; undefined for one that was settled before. */
  acknowledged(attempt: number, now: number): Entry | undefined {
    const at = this.#find(attempt)
    if (at < 0) return undefined
    this.#failures = 0
    this.#window = Math.min(WINDOW, this.#window * 2)
    const entry = this.#take(at)
    this.#advance(now)
    return entry
  }

  /** Refused, for now when `retryAfterMs` says when to come again at the earliest. The entry that this settles. */
  refused(attempt: number, retryAfterMs: number | undefined, now = performance.now()): Entry | undefined {
    const at = this.#find(attempt)
    const entry = this.#entries[at]
    if (entry === undefined) return undefined
    const again = retryAfterMs !== undefined && now + retryAfterMs < entry.giveUpAt
    if (again) {
      this.#landed(entry)
      if (retryAfterMs > 0) this.#window = 1
      this.#hold(retryAfterMs > 0 ? Math.max(retryAfterMs, FLOOD_OVER_MS) : 0)
    } else this.#take(at)
    this.#advance(now)
    return again ? undefined : entry
  }

  /** A connection is bound: everything without an answer goes out on it. */
  sendAll(): void {
    clearTimeout(this.#pause)
    this.#pause = undefined
    this.#held = false
    this.#advance(performance.now())
  }

  connectionLost(): void {
    for (const entry of this.#entries) this.#landed(entry)
  }

  /** Takes answers for lost that should have come long ago. What is too old is given up and returned. */
  tick(now: number): Entry[] {
    const tooOld: Entry[] = []
    for (const { attempt, giveUpAt, sentAt } of [...this.#entries]) {
      if (now < giveUpAt && (sentAt === NOT_ON_ITS_WAY || now - sentAt < ANSWER_LOST_MS)) continue
      const entry = this.refused(attempt, 0, now)
      if (entry) tooOld.push(entry)
    }
    return tooOld
  }

  /** No connection will come any more: returns what is left without an answer. */
  close(): Entry[] {
    clearTimeout(this.#pause)
    const left = this.#entries
    this.#entries = []
    this.#inFlight = 0
    return left
  }

  #advance(now: number): void {
    if (this.#held && (this.#inFlight > 0 || this.#pause !== undefined)) return
    this.#held = false
    while (this.#inFlight < this.#window && this.#inFlight < this.#entries.length) {
      const entry = this.#entries[this.#inFlight] as Entry
      if (!this.#write(entry)) return
      entry.sentAt = now
      this.#inFlight += 1
    }
  }

  #find(attempt: number): number {
    const entries = this.#entries
    for (let i = 0; i < entries.length; i++) if (entries[i]?.attempt === attempt) return i
    return -1
  }

  #take(at: number): Entry {
    const entry = this.#entries[at] as Entry
    this.#landed(entry)
    if (at === 0) this.#entries.shift()
    else this.#entries.splice(at, 1)
    return entry
  }

  #landed(entry: Entry): void {
    if (entry.sentAt !== NOT_ON_ITS_WAY) this.#inFlight -= 1
    entry.sentAt = NOT_ON_ITS_WAY
  }

  #hold(atLeastMs: number): void {
    this.#held = true
    if (this.#pause !== undefined) return
    const full = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** this.#failures++)
    const resume = () => {
      this.#pause = undefined
      this.#advance(performance.now())
    }
    this.#pause = setTimeout(resume, atLeastMs + full / 2 + (Math.random() * full) / 2)
  }
}
