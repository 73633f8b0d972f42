import type { Outbox, OutboxFact } from '../outbox.ts'

/** For tests of the domain: what it would have told the world. */
export class MemoryOutbox implements Outbox {
  #facts: OutboxFact[] = []
  #published: { fact: OutboxFact; at: number }[] = []

  add(facts: readonly OutboxFact[]): void {
    this.#facts.push(...facts)
  }

  async oldest(most: number): Promise<OutboxFact[]> {
    return this.#facts.toSorted((a, b) => a.data.at - b.data.at || (a.id < b.id ? -1 : 1)).slice(0, most)
  }

  async published(ids: readonly string[]): Promise<void> {
    const at = Date.now()
    this.#published.push(...this.#facts.filter(({ id }) => ids.includes(id)).map((fact) => ({ fact, at })))
    this.#facts = this.#facts.filter(({ id }) => !ids.includes(id))
  }

  async publishAgain(withinMs: number): Promise<void> {
    const since = Date.now() - withinMs
    const [again, old] = [
      this.#published.filter(({ at }) => at >= since),
      this.#published.filter(({ at }) => at < since),
    ]
    this.#facts.push(...again.map(({ fact }) => fact))
    this.#published = old
  }
}
