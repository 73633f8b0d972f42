/** An insert that was given up may still happen, and a stream that just failed fails again: nothing is read back sooner. */
const PAUSE_MS = 10_000

/** Since when something of our own may be in the log that the stream does not have and we do not know of. */
export class Doubt {
  #since = Number.POSITIVE_INFINITY
  #takenSince = Number.POSITIVE_INFINITY
  #changedAt = -Infinity

  /** Milliseconds by our clock; Infinity when there is no doubt. */
  get since(): number {
    return Math.min(this.#since, this.#takenSince)
  }

  add(since: number): void {
    this.#since = Math.min(this.#since, since)
    this.#changedAt = performance.now()
  }

  /** What may be read back now; undefined when there is nothing, or it is too early. What is added from here on is another doubt. */
  take(): number | undefined {
    if (this.#since === Number.POSITIVE_INFINITY || performance.now() - this.#changedAt < PAUSE_MS) return undefined
    this.#takenSince = this.#since
    this.#since = Number.POSITIVE_INFINITY
    return this.#takenSince
  }

  /** What was taken is in the stream now, or it is to be taken again. */
  settle(done: boolean): void {
    const since = this.#takenSince
    this.#takenSince = Number.POSITIVE_INFINITY
    if (!done) this.add(since)
  }
}
