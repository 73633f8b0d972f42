import type { Outbox, OutboxFact } from '../store/outbox.ts'

const FACTS_A_BATCH = 500

/** Resolves when the stream has the fact. */
export type PublishFact = (fact: OutboxFact) => Promise<void>

/**
 * One round: publishes every fact there is, each group's in order, and removes those the stream has confirmed. Processes
 * that do this at the same time publish a fact twice, which the stream drops by its id.
 *
 * @throws the first fault, after the other groups' facts are through; what was not confirmed stays for the next round
 */
export async function relayFacts(outbox: Outbox, publish: PublishFact): Promise<void> {
  for (;;) {
    const facts = await outbox.oldest(FACTS_A_BATCH)
    const published: string[] = []
    const ofOneGroup = async (chain: readonly OutboxFact[]) => {
      for (const fact of chain) {
        await publish(fact)
        published.push(fact.id)
      }
    }
    const chains = Map.groupBy(facts, ({ data }) => data.groupId)
    const outcomes = await Promise.allSettled(Array.from(chains.values(), ofOneGroup))
    if (published.length > 0) await outbox.remove(published)
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
    if (facts.length < FACTS_A_BATCH) return
  }
}
