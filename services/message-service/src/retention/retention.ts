import { setTimeout as delay } from 'node:timers/promises'
import type { ConversationId } from '@qunxin/contracts'
import type { Clock, Logger } from '@qunxin/runtime'
import type { OldMessages } from '../store/old-messages.ts'
import type { Turns } from '../store/turns.ts'

const DAY_MS = 86_400_000
const LOOK_EVERY_MS = 10_000
const PASS_EVERY_MS = 6 * 3_600_000
const CONVERSATIONS_AT_ONCE = 500
/** Messages deleted at once: a commit that comes meanwhile waits no longer than for another commit. */
const SLICE = 200
/** Far below the time after which a turn lapses. */
const KEEP_EVERY_MS = 3_000
const REPORT_EVERY_MS = 60_000
/** After a command it rests this many times as long as the command took, and no less than that. */
const REST = { times: 3, leastMs: 10 }
/** Under a load that never ends it goes on all the same, but slowly. */
const QUIET_LIMIT_MS = 5_000
const QUIET_LOOK_MS = 50

export interface RetentionOptions {
  days: number
  instance: string
  messages: OldMessages
  turns: Turns
  /** Sends that wait in this process. */
  waiting(): number
  clock: Clock
  logger: Logger
  metrics: RetentionMetrics
}

export interface RetentionMetrics {
  expired(messages: number): void
  retentionPassed(): void
}

/**
 * Takes messages older than so many days out of the log, all but the newest of each conversation. One instance at a time goes
 * through the conversations, gently; when it stops or dies, another goes on where it was.
 */
export class Retention {
  readonly #options: RetentionOptions
  readonly #stopped = new AbortController()
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: RetentionOptions) {
    this.#options = options
  }

  start(): void {
    const look = () => {
      this.#running ??= this.look().finally(() => {
        this.#running = undefined
      })
    }
    look()
    this.#timer = setInterval(look, LOOK_EVERY_MS).unref()
  }

  /** Leaves what is not done to the others. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopped.abort()
    await this.#running
  }

  /** Makes a pass if it is this instance's turn. */
  async look(): Promise<void> {
    const { turns, instance, clock, logger } = this.#options
    try {
      const turn = await turns.take(instance, clock.now())
      if (turn) await new Pass(this.#options, this.#stopped.signal).run(turn.after)
    } catch (error) {
      logger.warn({ err: error }, 'old messages cannot be deleted now')
    }
  }
}

/** One way through all conversations, or the rest of one. */
class Pass {
  readonly #options: RetentionOptions
  readonly #signal: AbortSignal
  readonly #before: number
  readonly #done = { conversations: 0, deleted: 0 }
  readonly #startedAt = performance.now()
  #keptAt = performance.now()
  #reportedAt = performance.now()

  constructor(options: RetentionOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
    this.#before = options.clock.now() - options.days * DAY_MS
  }

  async run(from: ConversationId): Promise<void> {
    const { messages, turns, instance, clock, logger, metrics } = this.#options
    logger.info({ after: from, days: this.#options.days }, 'a pass through old messages begins')
    let after = from
    for (;;) {
      const next = await this.#gently(() => messages.conversations(after, CONVERSATIONS_AT_ONCE))
      for (const { conversation, oldestAt } of next) {
        if (oldestAt < this.#before && !(await this.#clear(conversation, after))) return
        this.#done.conversations += 1
        after = conversation
      }
      if (next.length === 0) break
      if (!(await this.#goesOn(after))) return
    }
    metrics.retentionPassed()
    logger.info(this.#progress(), 'a pass through old messages is done')
    await turns.finish(instance, clock.now() + PASS_EVERY_MS)
  }

  /** False when the pass is over for this instance. */
  async #clear(conversation: ConversationId, after: ConversationId): Promise<boolean> {
    const { messages, metrics } = this.#options
    for (;;) {
      if (!(await this.#goesOn(after))) return false
      await this.#quiet()
      const deleted = await this.#gently(() => messages.delete(conversation, this.#before, SLICE))
      metrics.expired(deleted)
      this.#done.deleted += deleted
      if (deleted < SLICE) return true
    }
  }

  async #goesOn(after: ConversationId): Promise<boolean> {
    const { turns, instance, clock, logger } = this.#options
    const now = performance.now()
    if (this.#signal.aborted) {
      await turns.leave(instance, after)
      return false
    }
    if (now - this.#reportedAt >= REPORT_EVERY_MS) {
      this.#reportedAt = now
      logger.info({ ...this.#progress(), after }, 'a pass through old messages goes on')
    }
    if (now - this.#keptAt < KEEP_EVERY_MS) return true
    this.#keptAt = now
    if (await turns.keep(instance, clock.now(), after)) return true
    logger.info(this.#progress(), 'another instance goes through old messages now')
    return false
  }

  /** Waits while sends wait, for some time. */
  async #quiet(): Promise<void> {
    const until = performance.now() + QUIET_LIMIT_MS
    while (this.#options.waiting() > 0 && performance.now() < until && !this.#signal.aborted) await delay(QUIET_LOOK_MS)
  }

  async #gently<T>(command: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    const result = await command()
    const rest = Math.max(REST.leastMs, (performance.now() - startedAt) * REST.times)
    await delay(rest, undefined, { signal: this.#signal }).catch(() => {})
    return result
  }

  #progress() {
    return { ...this.#done, tookMs: Math.round(performance.now() - this.#startedAt) }
  }
}
