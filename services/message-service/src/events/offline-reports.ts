import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { type ConversationId, EVENT_LIMITS, type UserId } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import type { Message } from '../domain/message.ts'
import type { MessageEvents } from './message-events.ts'

/** In one turn of the event loop, so that deliveries and answers never wait for more than this. */
const TURN = { users: 2_000, reports: 200 }
/** Above it the rest waits: a busy group of thousands who are away floods neither NATS nor those who read the events. */
const USERS_A_SECOND = 200_000
/** Above it all of it is let go, and read back from the log later. */
const MOST_WAITING_USERS = 5_000_000
const RETRY_MS = 200
const COMPLAIN_EVERY_MS = 5_000

export interface OfflineReportsOptions {
  events: Pick<MessageEvents, 'offline' | 'doubted'>
  /** Those who muted a conversation. */
  mutedIn(conversation: ConversationId): Promise<ReadonlySet<UserId>>
  metrics: { offline(users: number): void; offlineLetGo(users: number): void }
  logger: Logger
}

interface Report {
  message: Message
  users: readonly UserId[]
  /** Of the users, how many are through. */
  done: number
}

/** Hands on who missed what, in order and piece by piece, beside the fan-out that found it. */
export class OfflineReports {
  readonly #options: OfflineReportsOptions
  #waiting: Report[] = []
  #users = 0
  #running: Promise<void> | undefined
  #complainedAt = -Infinity
  readonly #stopped = new AbortController()

  constructor(options: OfflineReportsOptions) {
    this.#options = options
  }

  /** How many users are still to be told of. */
  get waiting(): number {
    return this.#users
  }

  /** The oldest message that not everybody is told of yet (ms of the log); Infinity when there is none. */
  get untoldSince(): number {
    return this.#waiting.reduce((oldest, { message }) => Math.min(oldest, message.at), Number.POSITIVE_INFINITY)
  }

  report(message: Message, users: readonly UserId[]): void {
    this.#waiting.push({ message, users, done: 0 })
    this.#users += users.length
    if (this.#users > MOST_WAITING_USERS) this.#letGo()
    else
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined
      })
  }

  /** Resolves when everything reported so far is handed on. */
  async idle(): Promise<void> {
    await this.#running
  }

  /** What is not handed on by now is not. */
  stop(): void {
    this.#stopped.abort()
  }

  async #run(): Promise<void> {
    // What a job leaves behind is gathered first.
    await nextTurn()
    const { signal } = this.#stopped
    while (this.#waiting.length > 0 && !signal.aborted) {
      const reports = this.#nextTurn()
      const muted = await this.#mutedIn(reports)
      if (!muted) {
        await delay(RETRY_MS, undefined, { signal }).catch(() => {})
        continue
      }
      if (reports[0] !== this.#waiting[0]) continue
      const users = this.#handOn(reports, muted)
      const pauseMs = Math.floor((users * 1_000) / USERS_A_SECOND)
      if (pauseMs > 0) await delay(pauseMs)
      else await nextTurn()
    }
  }

  #letGo(): void {
    const { events, metrics, logger } = this.#options
    events.doubted(this.untoldSince)
    metrics.offlineLetGo(this.#users)
    logger.warn({ users: this.#users }, 'too many are offline to be told of in time: they are read back from the log')
    this.#waiting = []
    this.#users = 0
  }

  /** The first reports, until they have enough users together. */
  #nextTurn(): readonly Report[] {
    let users = 0
    let count = 0
    while (count < Math.min(this.#waiting.length, TURN.reports) && users < TURN.users) {
      const { users: all, done } = this.#waiting[count++] as Report
      users += all.length - done
    }
    return this.#waiting.slice(0, count)
  }

  /** Undefined when it cannot be read now. */
  async #mutedIn(reports: readonly Report[]): Promise<ReadonlyMap<ConversationId, ReadonlySet<UserId>> | undefined> {
    const conversations = new Set(reports.map(({ message }) => message.conversation))
    const ask = async (one: ConversationId) => [one, await this.#options.mutedIn(one)] as const
    try {
      return new Map(await Promise.all([...conversations].map(ask)))
    } catch (error) {
      this.#complain(error)
      return undefined
    }
  }

  #complain(error: unknown): void {
    const now = performance.now()
    if (now - this.#complainedAt < COMPLAIN_EVERY_MS) return
    this.#complainedAt = now
    this.#options.logger.warn({ reason: String(error) }, 'it cannot be read yet who muted what: offline events wait')
  }

  /** Returns how many users it handed on: the last report may be left in part. */
  #handOn(reports: readonly Report[], mutedIn: ReadonlyMap<ConversationId, ReadonlySet<UserId>>): number {
    let handedOn = 0
    let finished = 0
    for (const report of reports) {
      const muted = mutedIn.get(report.message.conversation)
      while (report.done < report.users.length && handedOn < TURN.users) {
        const some = report.users.slice(report.done, report.done + EVENT_LIMITS.offlineUsers)
        const quiet = muted && muted.size > 0 ? some.filter((user) => muted.has(user)) : []
        this.#options.events.offline(report.message, some, quiet)
        report.done += some.length
        handedOn += some.length
      }
      if (report.done === report.users.length) finished += 1
    }
    this.#waiting.splice(0, finished)
    this.#users -= handedOn
    this.#options.metrics.offline(handedOn)
    return handedOn
  }
}
