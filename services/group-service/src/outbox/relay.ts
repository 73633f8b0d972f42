import type { Outbox, OutboxFact } from '../store/outbox.ts'

const FACTS_A_BATCH = 500

/** Where facts go: a stream that may be removed, and made again as another one. */
export interface FactStream {
  /** Resolves when the stream has the fact. */
  publish(fact: OutboxFact): Promise<void>
  /** Which stream that is as of now. */
  current(): string | undefined
}

/**
 * One round: publishes every fact there is, each group's in order, and marks those the stream has confirmed. Processes
 * that do this at the same time publish a fact twice, which the stream drops by its id.
 *
 * @throws the first fault, after the other groups' facts are through; what was not confirmed stays for the next round
 */
export async function relayFacts(outbox: Outbox, stream: FactStream): Promise<void> {
  for (;;) {
    const facts = await outbox.oldest(FACTS_A_BATCH)
    const confirmed: { id: string; by: string | undefined }[] = []
    const ofOneGroup = async (chain: readonly OutboxFact[]) => {
      for (const fact of chain) {
        await stream.publish(fact)
        confirmed.push({ id: fact.id, by: stream.current() })
      }
    }
    const chains = Map.groupBy(facts, ({ data }) => data.groupId)
    const outcomes = await Promise.allSettled(Array.from(chains.values(), ofOneGroup))
    // What the stream before this one confirmed is gone with it.
    const published = confirmed.filter(({ by }) => by === stream.current()).map(({ id }) => id)
    if (published.length > 0) await outbox.published(published)
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
    if (facts.length < FACTS_A_BATCH) return
  }
}
