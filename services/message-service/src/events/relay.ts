import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import type { MessageFact, UserId } from '@qunxin/contracts'
import type { Clock, Logger } from '@qunxin/runtime'
import type { Message } from '../domain/message.ts'
import { Doubt } from './doubt.ts'
import { type Event, EventWriter } from './event-writer.ts'
import { offlineFacts } from './facts.ts'
import type { MessageEvents, Missed } from './message-events.ts'

/** What comes in this time goes out together: an event costs all servers several times what a fact in it does. */
const GATHER_MS = 200
/** Facts written in one turn of the event loop, so that commits never wait for more than this. */
const FACTS_A_TURN = 250
/** Events the stream has not confirmed yet. */
const MOST_UNDER_WAY = 8
const RETRY_MS = { first: 100, longest: 2_000 }
/** About what a message takes beside its text, and a user's id. */
const MESSAGE_BYTES = 400
const USER_BYTES = 32
/** Who missed a message that is older is told of only if we live to do so: the log would be read back from too long ago. */
const MOST_LATE_MS = 60_000
const LOOK_EVERY_MS = 5

export interface RelayMetrics {
  eventsPublished(what: MessageFact, facts: number): void
  eventsLetGo(facts: number): void
}

export interface RelayOptions {
  /** Resolves when the stream has it. */
  publish(event: Event): Promise<void>
  /** What may wait here in memory; above it all of it is let go, to be read back from the log. */
  limitBytes: number
  clock: Clock
  metrics: RelayMetrics
  logger: Logger
}

/** How much there is of something, and since when (ms by our clock) it may be in the log. */
interface Load {
  since: number
  facts: number
  bytes: number
}

interface Handed extends Load {
  stored?: readonly Message[]
  missed?: Missed
}

/** Publishes what it is handed, in turns of its own, and knows since when something may be in the log that the stream does not have. */
export class EventRelay implements MessageEvents {
  readonly doubt = new Doubt()
  readonly #options: RelayOptions
  #handed: Handed[] = []
  /** Being written and published; what is let go is taken out, and nobody waits for it any more. */
  #underWay = new Set<Load>()
  readonly #sends = new Set<Promise<void>>()
  #bytes = 0
  #facts = 0
  #running = false
  /** Aborted when what is in memory is let go. */
  #holding = new AbortController()
  #hurry = new AbortController()

  constructor(options: RelayOptions) {
    this.#options = options
  }

  stored(messages: readonly Message[], since = this.#options.clock.now()): void {
    if (messages.length === 0) return
    let bytes = messages.length * MESSAGE_BYTES
    for (const message of messages) bytes += textBytes(message)
    this.#take({ since, facts: messages.length, bytes, stored: messages })
  }

  offline(message: Message, users: readonly UserId[], muted: readonly UserId[] = []): void {
    const bytes = MESSAGE_BYTES + textBytes(message) + users.length * USER_BYTES
    const since = Math.max(message.at, this.#options.clock.now() - MOST_LATE_MS)
    this.#take({ since, facts: 1, bytes, missed: { message, users, muted } })
  }

  doubted(since: number): void {
    this.doubt.add(since)
  }

  /** Facts the stream has not confirmed. */
  get waiting(): number {
    return this.#facts
  }

  /** From then on (ms by our clock) something we were told of may be missing in the stream; Infinity when nothing is. */
  get unpublishedSince(): number {
    let { since } = this.doubt
    for (const load of this.#handed) since = Math.min(since, load.since)
    for (const load of this.#underWay) since = Math.min(since, load.since)
    return since
  }

  /** Resolves when everything handed in so far is in the stream, or has been let go. */
  async idle(): Promise<void> {
    this.#hurry.abort()
    while (this.#facts > 0) await delay(LOOK_EVERY_MS)
    this.#hurry = new AbortController()
  }

  /** Lets everything go that the stream has not confirmed. */
  letGo(): void {
    if (this.#facts === 0) return
    const { metrics, logger } = this.#options
    this.doubted(this.unpublishedSince)
    metrics.eventsLetGo(this.#facts)
    logger.warn(
      { facts: this.#facts },
      'events are let go: the stream does not take them; they are read back from the log',
    )
    this.#holding.abort()
    this.#holding = new AbortController()
    this.#handed = []
    this.#underWay = new Set()
    this.#bytes = 0
    this.#facts = 0
  }

  #take(handed: Handed): void {
    this.#handed.push(handed)
    this.#bytes += handed.bytes
    this.#facts += handed.facts
    if (this.#bytes > this.#options.limitBytes) this.letGo()
    else if (!this.#running) void this.#run()
  }

  async #run(): Promise<void> {
    this.#running = true
    for (;;) {
      await delay(GATHER_MS, undefined, { signal: this.#hurry.signal }).catch(() => nextTurn())
      if (this.#handed.length === 0) break
      await this.#write(this.#handed)
    }
    this.#running = false
  }

  /** Resolves when all of it is on its way. */
  async #write(handed: readonly Handed[]): Promise<void> {
    const { signal } = this.#holding
    this.#handed = []
    const load: Load = { since: Number.POSITIVE_INFINITY, facts: 0, bytes: 0 }
    for (const { since, facts, bytes } of handed) {
      load.since = Math.min(load.since, since)
      load.facts += facts
      load.bytes += bytes
    }
    this.#underWay.add(load)
    const sends: Promise<void>[] = []
    for await (const event of eventsOf(handed)) {
      while (this.#sends.size >= MOST_UNDER_WAY && !signal.aborted) await Promise.race(this.#sends)
      if (signal.aborted) return
      const send = this.#send(event, signal).finally(() => this.#sends.delete(send))
      this.#sends.add(send)
      sends.push(send)
    }
    void Promise.all(sends).then(() => {
      if (!this.#underWay.delete(load)) return
      this.#bytes -= load.bytes
      this.#facts -= load.facts
    })
  }

  /** Tries until the stream has it, or it is let go. */
  async #send(event: Event, signal: AbortSignal): Promise<void> {
    const { publish, metrics, logger } = this.#options
    for (let pause = RETRY_MS.first; !signal.aborted; pause = Math.min(2 * pause, RETRY_MS.longest)) {
      try {
        await publish(event)
        metrics.eventsPublished(event.what, event.facts)
        return
      } catch (error) {
        if (pause === RETRY_MS.first) logger.warn({ reason: String(error) }, 'an event was not taken, trying again')
        await delay(pause, undefined, { signal }).catch(() => {})
      }
    }
  }
}

function textBytes(message: Message): number {
  return message.utf8?.length ?? message.text.length
}

/** What was handed in, in events as large as may be, a few facts in each turn of the event loop. */
async function* eventsOf(handed: readonly Handed[]): AsyncGenerator<Event> {
  const stored = new EventWriter('stored')
  const offline = new EventWriter('offline')
  let written = 0
  for (const { stored: messages = [], missed } of handed) {
    for (const message of messages) {
      const full = stored.stored(message)
      // Whoever keeps the message for longer does not keep all that was stored with it.
      message.utf8 = undefined
      if (full) yield full
      if (++written % FACTS_A_TURN === 0) await nextTurn()
    }
    for (const fact of missed ? offlineFacts(missed) : []) {
      const full = offline.add(fact, fact.userIds.length)
      if (full) yield full
      if (++written % FACTS_A_TURN === 0) await nextTurn()
    }
  }
  for (const writer of [stored, offline]) {
    const last = writer.finish()
    if (last) yield last
  }
}
