import type { JsMsg } from '@nats-io/jetstream'

/** Events that came and are not acknowledged, in the order of the stream. */
export class InHand {
  /** By their number in the stream: what comes again takes the place it had. */
  readonly #events = new Map<number, JsMsg>()
  #wake: (() => void) | undefined

  get size(): number {
    return this.#events.size
  }

  add(event: JsMsg): void {
    this.#events.set(event.seq, event)
    this.wake()
  }

  /** Resolves when there is one, or {@link wake} is called. */
  async some(): Promise<void> {
    if (this.#events.size === 0) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  wake(): void {
    this.#wake?.()
  }

  /** The oldest ones, which stay in hand. */
  oldest(count: number): JsMsg[] {
    return [...this.#events.values()].slice(0, count)
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
}
