import { setImmediate as endOfTurn } from 'node:timers/promises'
import { withinTime } from '@qunxin/runtime'

/** The next question does not wait longer for the one before: its connection may have fallen silent. */
const PATIENCE_MS = 500

/**
 * Loads by key, many with one question: while one is under way who comes gathers for the next. What is answered is as of some
 * moment after the call.
 */
export class BatchLoader<K, V> {
  readonly #load: (keys: K[]) => Promise<readonly V[]>
  readonly #most: number
  readonly #waiting = new Map<K, PromiseWithResolvers<V>>()
  #loading = false

  /**
   * @param most keys in one question
   * @param load answers in the order asked
   */
  constructor(most: number, load: (keys: K[]) => Promise<readonly V[]>) {
    this.#most = most
    this.#load = load
  }

  /** @throws when the question failed, for all who were in it */
  of(key: K): Promise<V> {
    const there = this.#waiting.get(key)
    if (there) return there.promise
    const waiting = Promise.withResolvers<V>()
    this.#waiting.set(key, waiting)
    void this.#run()
    return waiting.promise
  }

  async #run(): Promise<void> {
    if (this.#loading) return
    this.#loading = true
    while (this.#waiting.size > 0) {
      // Those of one turn go together.
      await endOfTurn()
      await withinTime(PATIENCE_MS, this.#ask(this.#take())).catch(() => {})
    }
    this.#loading = false
  }

  async #ask(batch: ReadonlyMap<K, PromiseWithResolvers<V>>): Promise<void> {
    try {
      const found = await this.#load([...batch.keys()])
      let i = 0
      for (const { resolve } of batch.values()) resolve(found[i++] as V)
    } catch (error) {
      for (const { reject } of batch.values()) reject(error)
    }
  }

  #take(): Map<K, PromiseWithResolvers<V>> {
    const batch = new Map<K, PromiseWithResolvers<V>>()
    for (const [key, waiting] of this.#waiting) {
      if (batch.size === this.#most) break
      batch.set(key, waiting)
      this.#waiting.delete(key)
    }
    return batch
  }
}
