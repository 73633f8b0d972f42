import type { JsMsg } from '@nats-io/jetstream'

interface Expected {
  count: number
  last: number
  timer: NodeJS.Timeout
}

/** Events that came and are not acknowledged, in the order of the stream. */
export class InHand {
  /** By their number in the stream: what comes again takes the place it had. */
  readonly #events = new Map<number, JsMsg>()
  #expected: Expected | undefined
  #wake: (() => void) | undefined
  #closed = false

  get size(): number {
    return this.#events.size
  }

  add(event: JsMsg): void {
    this.#events.set(event.seq, event)
    this.#look()
  }

  /**
   * So many events up to the number `last` were in the hands of a process before us, and come again: at once when it gave them
   * back, within `withinMs` when it was killed. What is newer waits for them, so that it does not overtake.
   */
  expect(count: number, last: number, withinMs: number): void {
    clearTimeout(this.#expected?.timer)
    const timer = setTimeout(() => this.#expectNone(), withinMs).unref()
    this.#expected = { count, last, timer }
    this.#look()
  }

  /** Resolves when there is something to deliver, or {@link close} is called. */
  async some(): Promise<void> {
    while (!this.#closed && (this.#events.size === 0 || this.#expected))
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
  }

  close(): void {
    this.#closed = true
    this.#expectNone()
  }

  /** The oldest ones, which stay in hand. */
  oldest(count: number): JsMsg[] {
    return [...this.#events.values()].sort((one, other) => one.seq - other.seq).slice(0, count)
  }

  /** Tells NATS that they are being worked on: it would send them again. */
  working(): void {
    for (const event of this.#events.values()) event.working()
  }

  ack(events: readonly JsMsg[]): void {
    for (const { seq } of events) {
      this.#events.get(seq)?.ack()
      this.#events.delete(seq)
    }
  }

  /** Gives everything back, to be delivered again at once. */
  giveBack(): void {
    for (const event of this.#events.values()) event.nak()
    this.#events.clear()
  }

  #look(): void {
    const { count, last } = this.#expected ?? { count: 0, last: 0 }
    if ([...this.#events.keys()].filter((seq) => seq <= last).length >= count) this.#expectNone()
    else this.#wake?.()
  }

  #expectNone(): void {
    clearTimeout(this.#expected?.timer)
    this.#expected = undefined
    this.#wake?.()
  }
}
