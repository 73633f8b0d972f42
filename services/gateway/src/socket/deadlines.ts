import type { Connection } from './connection.ts'

/** Connections by the second at which something is due, so that many thousand need no timer of their own. */
export class Deadlines {
  readonly #bySecond = new Map<number, Set<Connection>>()
  #lookedAt: number

  constructor(now: number) {
    this.#lookedAt = secondOf(now)
  }

  /** `at` and the times of the other calls in milliseconds since 1970. */
  add(connection: Connection, at: number): void {
    const second = Math.max(secondOf(at), this.#lookedAt + 1)
    const due = this.#bySecond.get(second)
    if (due) due.add(connection)
    else this.#bySecond.set(second, new Set([connection]))
  }

  remove(connection: Connection, at: number): void {
    const second = secondOf(at)
    const due = this.#bySecond.get(second)
    if (due?.delete(connection) && due.size === 0) this.#bySecond.delete(second)
  }

  /** Takes out what has become due. */
  take(now: number): Connection[] {
    const upTo = Math.floor(now / 1000)
    // A clock that was set forward would make a long walk: then the seconds there are get looked at instead.
    const seconds =
      upTo - this.#lookedAt > this.#bySecond.size
        ? [...this.#bySecond.keys()].filter((second) => second <= upTo)
        : Array.from({ length: Math.max(0, upTo - this.#lookedAt) }, (_, i) => this.#lookedAt + 1 + i)
    this.#lookedAt = Math.max(this.#lookedAt, upTo)
    return seconds.flatMap((second) => {
      const due = [...(this.#bySecond.get(second) ?? [])]
      this.#bySecond.delete(second)
      return due
    })
  }
}

/** The first full second at which it is due. */
function secondOf(at: number): number {
  return Math.ceil(at / 1000)
}
