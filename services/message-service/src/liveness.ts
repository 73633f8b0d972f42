import { DEAD_AFTER_MS } from '@qunxin/contracts'

/** Who has been heard of lately, among processes that announce themselves. Times are of the monotonic clock. */
export class Live {
  readonly #heardAt = new Map<string, number>()
  readonly #changed: () => void

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

  /** Forgets who has been silent too long. */
  expire(now = performance.now()): void {
    let gone = false
    for (const [name, at] of this.#heardAt) {
      if (now - at > DEAD_AFTER_MS) gone = this.#heardAt.delete(name)
    }
    if (gone) this.#changed()
  }

  /** We stood still and have heard nobody meanwhile: that is no sign of anybody's death. */
  forgive(now = performance.now()): void {
    for (const name of this.#heardAt.keys()) this.#heardAt.set(name, now)
  }

  names(): string[] {
    return [...this.#heardAt.keys()]
  }

  has(name: string): boolean {
    return this.#heardAt.has(name)
  }
}
