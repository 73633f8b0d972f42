import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '@qunxin/runtime'

/** What came of one item: a value, or the error its caller gets. */
export type Outcome<T> = { value: T } | { error: unknown }

export interface BatchOptions {
  /** Items that run together at the most. */
  most: number
  /** An item that waited longer is not run: nobody waits for its answer any more. */
  longestWaitMs: number
  /** Between two batches of a key, so that another process that changes the same thing gets its turn. */
  pauseMs: number
}

interface Waiting<Item, Result> {
  item: Item
  askedAt: number
  resolve(result: Result): void
  reject(error: unknown): void
}

/**
 * Runs the items of one key in the order they came, one batch at a time: what comes while a batch is under way goes into
 * the next together. Different keys do not wait for each other.
 */
export class Batches<Item, Result> {
  readonly #waiting = new Map<string, Waiting<Item, Result>[]>()
  readonly #work: (key: string, items: readonly Item[]) => Promise<readonly Outcome<Result>[]>
  readonly #options: BatchOptions

  /** @param work answers an outcome per item; what it throws is every item's error */
  constructor(
    work: (key: string, items: readonly Item[]) => Promise<readonly Outcome<Result>[]>,
    options: BatchOptions,
  ) {
    this.#work = work
    this.#options = options
  }

  /** @throws AppError TIMEOUT when its turn came too late, and what came of it otherwise */
  run(key: string, item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      const entry = { item, askedAt: performance.now(), resolve, reject }
      const queue = this.#waiting.get(key)
      if (queue) queue.push(entry)
      else {
        const started = [entry]
        this.#waiting.set(key, started)
        void this.#drain(key, started)
      }
    })
  }

  async #drain(key: string, queue: Waiting<Item, Result>[]): Promise<void> {
    while (queue.length > 0) {
      await this.#runBatch(key, queue.splice(0, this.#options.most))
      if (queue.length > 0) await delay(this.#options.pauseMs)
    }
    this.#waiting.delete(key)
  }

  async #runBatch(key: string, taken: readonly Waiting<Item, Result>[]): Promise<void> {
    const oldest = performance.now() - this.#options.longestWaitMs
    for (const { reject } of taken.filter(({ askedAt }) => askedAt < oldest)) reject(new AppError('TIMEOUT'))
    const batch = taken.filter(({ askedAt }) => askedAt >= oldest)
    if (batch.length === 0) return
    try {
      const outcomes = await this.#work(
        key,
        batch.map(({ item }) => item),
      )
      for (const [index, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[index]
        if (outcome && 'value' in outcome) resolve(outcome.value)
        else reject(outcome?.error)
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}
