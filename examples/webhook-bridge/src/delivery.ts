import { randomUUID } from 'node:crypto'
import type { JsMsg } from '@nats-io/jetstream'
import type { Config } from './config.ts'
import { DeadLetters } from './dead-letters.ts'
import { type Fact, factsOf, keysOf, unsent } from './facts.ts'
import type { InHand } from './in-hand.ts'
import { log } from './log.ts'
import { Seen } from './seen.ts'
import { Webhook } from './webhook.ts'

const REMEMBERED = { events: 10_000, facts: 200_000 }

/** Takes the oldest events in hand to the webhook, and sees to what it refuses. */
export class Delivery {
  readonly #config: Config
  readonly #inHand: InHand
  readonly #webhook: Webhook
  readonly #deadLetters: DeadLetters
  readonly #events = new Seen(REMEMBERED.events)
  readonly #facts = new Seen(REMEMBERED.facts)

  constructor(config: Config, inHand: InHand) {
    this.#config = config
    this.#inHand = inHand
    this.#webhook = new Webhook(config)
    this.#deadLetters = new DeadLetters(config.DEAD_LETTERS)
  }

  /** @throws when `signal` is aborted before the webhook has the batch, or what it refuses cannot be written down */
  async next(signal: AbortSignal): Promise<void> {
    const { events, facts } = await this.#batch()
    if (facts.length > 0) {
      const id = randomUUID()
      const refusal = await this.#webhook.deliver(JSON.stringify({ facts }), id, signal)
      if (refusal) await this.#deadLetters.add(facts.map((fact) => ({ at: new Date(), id, ...refusal, ...fact })))
      log(refusal ? 'given up' : 'delivered', { id, facts: facts.length })
    }
    for (const fact of facts) for (const key of keysOf(fact)) this.#facts.add(key)
    for (const event of events) this.#events.add(idOf(event))
    this.#inHand.ack(events)
  }

  /** The oldest events in hand, until they have facts enough, and what of these was not sent before. */
  async #batch(): Promise<{ events: JsMsg[]; facts: Fact[] }> {
    const events: JsMsg[] = []
    const facts: Fact[] = []
    const within = new Set<string>()
    for (const event of this.#inHand.oldest(this.#config.IN_HAND)) {
      if (facts.length >= this.#config.BATCH_FACTS) break
      events.push(event)
      if (this.#events.has(idOf(event))) continue
      for (const fact of await this.#factsOf(event)) {
        const rest = unsent(fact, (key) => within.has(key) || this.#facts.has(key))
        if (!rest) continue
        facts.push(rest)
        for (const key of keysOf(rest)) within.add(key)
      }
    }
    return { events, facts }
  }

  async #factsOf(event: JsMsg): Promise<Fact[]> {
    try {
      return factsOf(event.subject, event.string())
    } catch (error) {
      await this.#deadLetters.add([{ at: new Date(), reason: String(error), event: event.string() }])
      return []
    }
  }
}

/** Under one id the same event is never published twice; one without is told by its place in the stream and its time there. */
function idOf(event: JsMsg): string {
  return event.headers?.get('Nats-Msg-Id') || `#${event.seq} ${event.timestampNanos}`
}
