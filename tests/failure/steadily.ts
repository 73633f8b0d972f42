import { setTimeout as delay } from 'node:timers/promises'

export interface Steady<T> {
  readonly outcomes: T[]
  /** What was thrown, which no answer was. */
  readonly faults: string[]
  /** Asks no more, and resolves when everything asked has its outcome. */
  stop(): Promise<void>
}

/** Asks the same again and again, whatever becomes of those before. */
export function steadily<T>(everyMs: number, ask: (number: number) => Promise<T>): Steady<T> {
  const outcomes: T[] = []
  const faults: string[] = []
  const underWay = new Set<Promise<unknown>>()
  let stopped = false
  const loop = async () => {
    for (let number = 0; !stopped; number++) {
      const asked: Promise<unknown> = ask(number).then(
        (outcome) => outcomes.push(outcome),
        (error: unknown) => faults.push(String((error instanceof Error && error.cause) || error)),
      )
      underWay.add(asked)
      void asked.finally(() => underWay.delete(asked))
      await delay(everyMs)
    }
  }
  const looping = loop()
  return {
    outcomes,
    faults,
    async stop() {
      stopped = true
      await looping
      await Promise.all(underWay)
    },
  }
}
