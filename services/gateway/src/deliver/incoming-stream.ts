import type { DeliveryPlace } from '@qunxin/contracts'

/** An unanswered asking is repeated after so long, at the next look: a little less than between two of those. */
const ASK_AGAIN_MS = 200
/** Confirmed at once above so many: the other side keeps them that long. */
const MOST_DELIVERIES = 64
const MOST_BYTES = 256 * 1024

/** The deliveries of one message-service instance for this node: which came, in their order, and which are missing. */
export class IncomingStream {
  readonly instance: string
  #next = 1
  /** The newest one that is known to exist. */
  #newest = 0
  /** What was confirmed last. */
  #confirmed = 0
  #bytes = 0
  /** It came again, so the other side does not know that we have it. */
  #repeated = false
  #asked = { next: 0, at: -Infinity }

  constructor(instance: string) {
    this.instance = instance
  }

  /** The number that comes next. */
  get next(): number {
    return this.#next
  }

  /** Deliveries that are known to exist have not come. */
  get incomplete(): boolean {
    return this.#newest >= this.#next
  }

  /** What lies before `oldest` and has not come will not come any more. Returns whether there is any. */
  missed({ oldest }: DeliveryPlace): boolean {
    if (oldest <= this.#next) return false
    this.#next = oldest
    return true
  }

  /**
   * Whether a delivery is the one that comes next. Whatever comes behind a missing one is left: it comes again with it, so
   * that nothing is ever overtaken.
   */
  take({ number }: DeliveryPlace, bytes: number): boolean {
    this.exists(number)
    if (number !== this.#next) return false
    this.#next += 1
    this.#bytes += bytes
    return true
  }

  /** There is a delivery of that number. */
  exists(number: number): void {
    this.#newest = Math.max(this.#newest, number)
    this.#repeated ||= number < this.#next
  }

  /** What to confirm now, when so much has come that it should not wait; or whatever has. */
  toConfirm(all: boolean): number | undefined {
    const had = this.#next - 1
    const much = had - this.#confirmed >= MOST_DELIVERIES || this.#bytes >= MOST_BYTES
    if (!much && !(all && (this.#repeated || had > this.#confirmed))) return undefined
    return this.#confirming()
  }

  /** After which number to ask for more, unless that was done just now; `further`: what was asked for has come, and more is missing. */
  toAsk(now: number, further = false): number | undefined {
    const answered = further && this.#asked.next !== this.#next
    if (!answered && now - this.#asked.at < ASK_AGAIN_MS) return undefined
    this.#asked = { next: this.#next, at: now }
    return this.#confirming()
  }

  #confirming(): number {
    this.#confirmed = this.#next - 1
    this.#bytes = 0
    this.#repeated = false
    return this.#confirmed
  }
}
