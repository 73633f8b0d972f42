interface Waiting<T, R> {
  item: T
  resolve(result: R): void
  reject(error: unknown): void
}

/** What is asked for in one turn of the event loop is done together: `run` gets at most `atOnce` items, and answers each in its place. */
export class Gathered<T, R> {
  readonly #run: (items: T[]) => Promise<readonly R[]>
  readonly #atOnce: number
  #waiting: Waiting<T, R>[] = []

  constructor(run: (items: T[]) => Promise<readonly R[]>, atOnce: number) {
    this.#run = run
    this.#atOnce = atOnce
  }

  /** @throws what became of all that it was done with */
  do(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ item, resolve, reject }) === 1) setImmediate(() => this.#begin())
    })
  }

  #begin(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (let at = 0; at < waiting.length; at += this.#atOnce) this.#together(waiting.slice(at, at + this.#atOnce))
  }

  #together(waiting: readonly Waiting<T, R>[]): void {
    this.#run(waiting.map(({ item }) => item)).then(
      (results) => {
        for (const [i, { resolve }] of waiting.entries()) resolve(results[i] as R)
      },
      (error: unknown) => {
        for (const { reject } of waiting) reject(error)
      },
    )
  }
}
