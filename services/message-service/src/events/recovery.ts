import { setTimeout as delay } from 'node:timers/promises'
import { every, type Logger } from '@qunxin/runtime'
import type { Db } from 'mongodb'
import type { Message } from '../domain/message.ts'
import type { MessageLog } from '../store/message-log.ts'
import type { Doubt } from './doubt.ts'
import { type Event, EventWriter } from './event-writer.ts'
import { offlineFacts } from './facts.ts'
import type { MissedBy } from './message-events.ts'
import { replay } from './replay.ts'
import type { Watermark, Watermarks } from './watermarks.ts'

const LOOK_EVERY_MS = 1_000
/** How often what others have left behind is looked for: a death is certain only after much longer. */
const CLAIM_AFTER_MS = 2_500
/** Far from the end of a claim. */
const KEEP_EVERY_MS = 3_000

export interface RecoveryOptions {
  instance: string
  db: Db
  watermarks: Watermarks
  /** Resolves when there is a stream to publish to. */
  ready(): Promise<void>
  publish(event: Event): Promise<void>
  missedBy: MissedBy
  log: Pick<MessageLog, 'applyChanges' | 'originals'>
  /** What we doubt ourselves. */
  doubt: Doubt
  /** A time of ours by the database's clock, or a little earlier. */
  inDatabase(time: number): number
  metrics: { eventsRecovered(facts: number): void }
  logger: Logger
}

/** Publishes from the log what an instance stored and did not live to tell, one after the other. */
export class Recovery {
  readonly #options: RecoveryOptions
  readonly #stopped = new AbortController()
  #looking: { stop(): void } | undefined
  #running: Promise<void> | undefined
  #foundNothingAt = -Infinity
  #isFailing = false

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  start(): void {
    const look = () => {
      this.#running ??= this.#look().finally(() => {
        this.#running = undefined
      })
    }
    look()
    this.#looking = every(LOOK_EVERY_MS, look)
  }

  /** What is under way is left to others. */
  async stop(): Promise<void> {
    this.#looking?.stop()
    this.#stopped.abort()
    await this.#running
  }

  async #look(): Promise<void> {
    try {
      while (await this.#turn());
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing && !this.#stopped.signal.aborted)
        this.#options.logger.warn({ err: error }, 'events cannot be read back from the log, trying again')
      this.#isFailing = true
    }
  }

  /** Returns whether there was something to read back. */
  async #turn(): Promise<boolean> {
    const { instance, watermarks, ready, doubt, inDatabase } = this.#options
    this.#stopped.signal.throwIfAborted()
    await ready()
    const doubted = doubt.take()
    if (doubted !== undefined) {
      let done = false
      try {
        const upTo = await watermarks.upTo(instance)
        await this.#replay({ id: instance, publishedUntil: inDatabase(doubted), upTo }, async () => true)
        done = true
      } finally {
        doubt.settle(done)
      }
      return true
    }
    if (performance.now() - this.#foundNothingAt < CLAIM_AFTER_MS) return false
    const claimed = await watermarks.claim(instance)
    if (!claimed) {
      this.#foundNothingAt = performance.now()
      return false
    }
    await this.#replay(claimed, () => watermarks.keep(claimed.id, instance))
    await watermarks.finish(claimed.id, instance)
    return true
  }

  async #replay(watermark: Watermark, keep: () => Promise<boolean>): Promise<void> {
    const { db, log, metrics, logger } = this.#options
    const of = watermark.id
    logger.info({ of, publishedUntil: new Date(watermark.publishedUntil) }, 'events are read back from the log')
    let facts = 0
    let keptAt = performance.now()
    const stillOurs = async () => {
      this.#stopped.signal.throwIfAborted()
      if (performance.now() - keptAt < KEEP_EVERY_MS) return
      if (!(await keep())) throw new Error(`${of} lives, or is read back by another`)
      keptAt = performance.now()
    }
    await replay(watermark, {
      db,
      signal: this.#stopped.signal,
      take: async (messages) => {
        await stillOurs()
        // Who stored a recall or an edit and died may not have done what it says.
        facts += await this.#publish(await withoutRecalled(await log.applyChanges(messages), log), stillOurs)
      },
      lost: (from, until) =>
        logger.error(
          { of, from: new Date(from), until: new Date(until) },
          'events of messages stored in this time may be missing in the stream: the oplog of MongoDB does not reach back so far',
        ),
    })
    metrics.eventsRecovered(facts)
    logger.info({ of, facts }, 'events were read back from the log')
  }

  /**
   * Resolves with how many facts there were, when the stream has them. Each event goes as soon as it is full: a thousand messages
   * to thousands who are away would fill the memory.
   */
  async #publish(messages: readonly Message[], stillOurs: () => Promise<void>): Promise<number> {
    if (messages.length === 0) return 0
    const { publish, missedBy } = this.#options
    let facts = 0
    const send = async (event: Event | undefined) => {
      if (!event) return
      await stillOurs()
      await this.#patiently(() => publish(event), stillOurs)
      facts += event.facts
    }
    const stored = new EventWriter('stored')
    for (const message of messages) await send(stored.stored(message))
    await send(stored.finish())
    const offline = new EventWriter('offline')
    for (const missed of await this.#patiently(() => missedBy(messages), stillOurs))
      for (const fact of offlineFacts(missed)) await send(offline.add(fact, fact.userIds.length))
    await send(offline.finish())
    return facts
  }

  /** Who gave up would begin anew, and publish everything before this once more. */
  async #patiently<T>(attempt: () => Promise<T>, stillOurs: () => Promise<void>): Promise<T> {
    for (let complained = false; ; complained = true) {
      try {
        return await attempt()
      } catch (error) {
        if (!complained) this.#options.logger.warn({ reason: String(error) }, 'reading back events waits')
        await delay(LOOK_EVERY_MS, undefined, { ref: false })
        await stillOurs()
      }
    }
  }
}

/** The same, but without what was taken back since: the oplog tells them as they were stored. */
async function withoutRecalled(messages: readonly Message[], log: Pick<MessageLog, 'originals'>): Promise<Message[]> {
  const now = await log.originals(messages)
  return messages.map((message, index) => (now[index]?.recalled ? now[index] : message))
}
