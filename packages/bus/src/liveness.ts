import { ANNOUNCE_EVERY_MS, DEAD_AFTER_MS } from '@qunxin/contracts'
import { every } from '@qunxin/runtime'
import type { Bus } from './bus.ts'

/** A look this late says that we stood still. */
const LATE_MS = ANNOUNCE_EVERY_MS + 1_000

/** Who has been heard of lately, among processes that announce themselves. Times are of the monotonic clock. */
export class Live {
  readonly #heardAt = new Map<string, number>()
  readonly #changed: () => void
  #lookedAt = performance.now()

  /** `changed` is called when one appears or disappears. */
  constructor(changed: () => void = () => {}) {
    this.#changed = changed
  }

  heard(name: string, now = performance.now()): void {
    const isNew = !this.#heardAt.has(name)
    this.#heardAt.set(name, now)
    if (isNew) this.#changed()
  }

  left(name: string): void {
    if (this.#heardAt.delete(name)) this.#changed()
  }

  /** To be called twice a second: forgets who has been silent too long, and returns whether there was one. */
  expire(now = performance.now()): boolean {
    const notLooked = now - this.#lookedAt
    this.#lookedAt = now
    // We stood still ourselves, and what the others said meanwhile is still to be read.
    if (notLooked > LATE_MS) this.forgive(now)
    let gone = false
    for (const [name, at] of this.#heardAt) {
      if (now - at > DEAD_AFTER_MS) gone = this.#heardAt.delete(name)
    }
    if (gone) this.#changed()
    return gone
  }

  /** We have heard nobody for a while and it was our doing: that is no sign of anybody's death. */
  forgive(now = performance.now()): void {
    for (const name of this.#heardAt.keys()) this.#heardAt.set(name, now)
  }

  names(): string[] {
    return [...this.#heardAt.keys()]
  }

  has(name: string): boolean {
    return this.#heardAt.has(name)
  }

  /** Looks twice a second who has gone silent, as long as NATS is there: while it is away nobody can be heard. */
  watch(bus: Pick<Bus, 'connected' | 'onReconnect'>): { stop(): void } {
    bus.onReconnect(() => this.forgive())
    return every(ANNOUNCE_EVERY_MS, () => {
      if (bus.connected) this.expire()
    })
  }
}
