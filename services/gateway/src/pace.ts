import { setTimeout as delay, setImmediate as endOfTurn } from 'node:timers/promises'

/**
 * How often something is done that gathers what comes meanwhile. Alone one is done with at once; of many who come at the same time
 * each would else be answered just in time for the next to start a question of its own.
 */
export class Pace {
  readonly #everyMs: number
  #last = Number.NEGATIVE_INFINITY

  constructor(everyMs: number) {
    this.#everyMs = everyMs
  }

  /** Resolves when the next one may begin: behind what else happens in this turn, and not so soon after the last. */
  async next(): Promise<void> {
    const early = this.#last + this.#everyMs - performance.now()
    await (early > 0 ? delay(early) : endOfTurn())
    this.#last = performance.now()
  }
}
