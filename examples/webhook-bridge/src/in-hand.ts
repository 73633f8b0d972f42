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
  /** In order; of a stream that is gone: nobody waits to hear of them, and their numbers are given once more. */
  readonly #orphans: JsMsg[] = []
  #stream: string | undefined
  /** The number behind the newest event seen of the stream. */
  #next: number | undefined
  #expected: Expected | undefined
  #wake: (() => void) | undefined
  #closed = false

  get size(): number {
    return this.#events.size + this.#orphans.length
  }

  /**
   * What comes from here on is of the stream that was made then.
   *
   * @returns the number of the first event that is still to come; undefined when that is not known
   */
  readFrom(created: string): number | undefined {
    if (this.#stream !== undefined && this.#stream !== created) {
      this.#orphans.push(...inOrder(this.#events.values()))
      this.#events.clear()
      this.#next = 1
    }
    this.#stream = created
    return this.#events.size > 0 ? Math.min(...this.#events.keys()) : this.#next
  }

  add(event: JsMsg): void {
    this.#events.set(event.seq, event)
    this.#saw(event.seq)
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
    this.#saw(last)
    this.#look()
  }

  /** Resolves when there is something to deliver, or {@link close} is called. */
  async some(): Promise<void> {
    while (!this.#closed && (this.size === 0 || this.#expected))
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
    return [...this.#orphans, ...inOrder(this.#events.values())].slice(0, count)
  }

  /** Tells NATS that they are being worked on: it would send them again. */
  working(): void {
    for (const event of this.#events.values()) event.working()
  }

  ack(events: readonly JsMsg[]): void {
    for (const event of events) {
      const orphan = this.#orphans.indexOf(event)
      if (orphan >= 0) this.#orphans.splice(orphan, 1)
      else {
        this.#events.get(event.seq)?.ack()
        this.#events.delete(event.seq)
      }
    }
  }

  /** Gives everything back, to be delivered again at once. */
  giveBack(): void {
    for (const event of this.#events.values()) event.nak()
    this.#events.clear()
  }

  #saw(seq: number): void {
    this.#next = Math.max(this.#next ?? 0, seq + 1)
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

function inOrder(events: Iterable<JsMsg>): JsMsg[] {
  return [...events].sort((one, other) => one.seq - other.seq)
}
