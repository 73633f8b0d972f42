import { AppError } from '@qunxin/runtime'

/** Runs tasks of one key one after the other, in the order they came; different keys do not wait for each other. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()
  readonly #longestWaitMs: number

  /** A task that waited longer than `longestWaitMs` is not run: nobody waits for its answer any more. */
  constructor(longestWaitMs: number) {
    this.#longestWaitMs = longestWaitMs
  }

  /** @throws AppError TIMEOUT when its turn came too late */
  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const askedAt = performance.now()
    const turn = async () => {
      if (performance.now() - askedAt > this.#longestWaitMs) throw new AppError('TIMEOUT')
      return task()
    }
    const before = this.#last.get(key)
    const mine = before === undefined ? turn() : before.then(turn, turn)
    this.#last.set(key, mine)
    const forget = () => {
      if (this.#last.get(key) === mine) this.#last.delete(key)
    }
    mine.then(forget, forget)
    return mine
  }
}
