import type { Outbox, OutboxFact } from '../outbox.ts'

/** For tests of the domain: what it would have told the world. */
export class MemoryOutbox implements Outbox {
  #facts: OutboxFact[] = []

  add(facts: readonly OutboxFact[]): void {
    this.#facts.push(...facts)
  }

  async oldest(most: number): Promise<OutboxFact[]> {
    return this.#facts.toSorted((a, b) => a.data.at - b.data.at || (a.id < b.id ? -1 : 1)).slice(0, most)
  }

  async remove(ids: readonly string[]): Promise<void> {
    this.#facts = this.#facts.filter((fact) => !ids.includes(fact.id))
  }
}
