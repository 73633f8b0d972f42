import type { FaultEvent } from '../result.ts'

/** How far the faults of a run have come: they say what they do, and end early when the run is over. */
export class Course {
  readonly #startedAt = performance.now()
  readonly #ended = Promise.withResolvers<void>()
  readonly #onEvent: (event: FaultEvent) => void
  over = false

  constructor(onEvent: (event: FaultEvent) => void) {
    this.#onEvent = onEvent
  }

  say(event: Omit<FaultEvent, 'at'>): void {
    this.#onEvent({ at: (performance.now() - this.#startedAt) / 1_000, ...event })
  }

  /** Resolves after `ms`, or at once when the run ends. */
  async pause(ms: number): Promise<void> {
    if (this.over) return
    let timer: NodeJS.Timeout | undefined
    const passed = new Promise((resolve) => {
      timer = setTimeout(resolve, ms)
    })
    await Promise.race([passed, this.#ended.promise])
    clearTimeout(timer)
  }

  end(): void {
    this.over = true
    this.#ended.resolve()
  }
}
