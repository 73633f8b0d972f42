const REMEMBERED = 10_000

/** Most users are on one node: users with the same nodes share one set, which is never changed. */
export class NodeSets {
  readonly none: ReadonlySet<string> = new Set()
  readonly #known = new Map<string, ReadonlySet<string>>()

  of(nodes: Iterable<string>): ReadonlySet<string> {
    const sorted = [...new Set(nodes)].sort()
    if (sorted.length === 0) return this.none
    const key = sorted.join(' ')
    let set = this.#known.get(key)
    if (!set) {
      if (this.#known.size >= REMEMBERED) this.#known.clear()
      set = new Set(sorted)
      this.#known.set(key, set)
    }
    return set
  }

  with(set: ReadonlySet<string>, node: string): ReadonlySet<string> {
    return set.has(node) ? set : this.of([...set, node])
  }

  without(set: ReadonlySet<string>, node: string): ReadonlySet<string> {
    return set.has(node) ? this.of([...set].filter((one) => one !== node)) : set
  }
}
