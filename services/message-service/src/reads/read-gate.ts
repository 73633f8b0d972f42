import { AppError } from '@qunxin/runtime'

export interface GateLimits {
  /** Under way at once, each with what it has read in memory. */
  atOnce: number
  /** Waiting for their turn; above it a read is refused at once. */
  waiting: number
}

/**
 * Lets so many reads of one kind run at once. Reads and commits share the connections to MongoDB, and a page is half a megabyte:
 * a flood of them would keep sends waiting and fill the heap.
 */
export class ReadGate {
  readonly #limits: GateLimits
  readonly #now: () => number
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(limits: GateLimits, now: () => number = Date.now) {
    this.#limits = limits
    this.#now = now
  }

  /** The most that may be under way and waiting. */
  get capacity(): number {
    return this.#limits.atOnce + this.#limits.waiting
  }

  /** Under way and waiting. */
  get size(): number {
    return this.#running + this.#waiting.length
  }

  /**
   * Runs a read in its turn; after `deadline` (ms since 1970) nobody waits for it any more.
   *
   * @throws AppError UNAVAILABLE when too many wait already, TIMEOUT when its turn came too late
   */
  async run<T>(deadline: number, read: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limits.atOnce) this.#running += 1
    else if (this.#waiting.length >= this.#limits.waiting)
      throw new AppError('UNAVAILABLE', { details: { problem: 'too many reads' } })
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      if (this.#now() > deadline) throw new AppError('TIMEOUT')
      return await read()
    } finally {
      // The turn is handed on, so that nobody comes in between.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running -= 1
    }
  }
}
