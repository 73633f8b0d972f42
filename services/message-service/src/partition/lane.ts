import { setTimeout as delay } from 'node:timers/promises'
import type { Clock, Logger } from '@qunxin/runtime'
import type { Limits } from '../domain/limits.ts'
import type { Message } from '../domain/message.ts'
import { number } from '../domain/numbering.ts'
import type { Fanout } from '../fanout/fanout.ts'
import type { JobItem } from '../fanout/job.ts'
import type { MembershipCache } from '../membership/cache.ts'
import type { LaneMetrics } from '../metrics.ts'
import { type Appended, type MessageLog, OutcomeUnknown } from '../store/message-log.ts'
import type { Conversation } from './conversation.ts'
import { answerOf, type Outcome, type Pending } from './pending.ts'
import { Plan, planConversation } from './plan.ts'
import { Preparation, type PreparationOptions } from './preparation.ts'
import { resolve, type Written } from './resolve.ts'

/** A duplicate of a message younger than this is fanned out again: a crash may have stood between commit and fan-out. */
const REPEATED_WITHIN_MS = 60_000
const READ_BACK_RETRY_MS = 200

export interface LaneOptions extends PreparationOptions {
  log: MessageLog
  membership: MembershipCache
  fanout: Fanout
  limits: Limits
  clock: Clock
  logger: Logger
  metrics: LaneMetrics
  /** Called before each commit: drops every cache when the event loop has stood still. */
  beforeCommit(): void
}

/** Commits the sends of its partitions, one commit under way at a time, so that nothing is ever visible behind a hole. */
export class Lane {
  readonly #options: LaneOptions
  readonly #preparation: Preparation
  /** Conversations with sends, in the order to serve them. */
  readonly #ready: Conversation[] = []
  #between: (() => void)[] = []
  #scheduled = false
  #committing = false
  #running: Promise<void> | undefined
  /** Sends taken in and not decided yet. */
  waiting = 0

  constructor(options: LaneOptions) {
    this.#options = options
    this.#preparation = new Preparation(options, {
      ready: (conversation) => this.#list(conversation),
      again: (messages) => options.fanout.push(messages.map((message) => again(message, ''))),
    })
  }

  enqueue(conversation: Conversation, pending: Pending): void {
    conversation.queue.push(pending)
    this.waiting += 1
    this.#list(conversation)
  }

  /** Loads the tail of a conversation, if need be, and calls back between two commits, when its newest seq stands still. */
  async between(conversation: Conversation, task: (lastSeq: number) => void): Promise<void> {
    while (!conversation.position && !conversation.dropped) await this.#preparation.tail(conversation)
    const run = () => task(conversation.position?.seq ?? conversation.seenSeq)
    if (this.#committing) this.#between.push(run)
    else run()
  }

  /** Forgets sends of conversations that were dropped from the cache. */
  dropped(conversations: readonly Conversation[]): void {
    for (const conversation of conversations) {
      this.waiting -= conversation.queue.length
      conversation.queue = []
    }
  }

  /** Resolves when everything taken in is decided and sent out. */
  async idle(): Promise<void> {
    while (this.waiting > 0 || this.#running !== undefined) await (this.#running ?? delay(5))
    await this.#options.fanout.idle()
  }

  #list(conversation: Conversation, first = false): void {
    if (!conversation.listed && conversation.queue.length > 0) {
      conversation.listed = true
      if (first) this.#ready.unshift(conversation)
      else this.#ready.push(conversation)
    }
    if (this.#scheduled || this.#running !== undefined) return
    this.#scheduled = true
    // One turn of the event loop: whatever NATS delivers in it goes into the same commit.
    setImmediate(() => {
      this.#scheduled = false
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined
        if (this.#ready.length > 0) this.#list(this.#ready[0] as Conversation)
      })
    })
  }

  async #run(): Promise<void> {
    for (;;) {
      this.#options.beforeCommit()
      const { plan, conversations } = this.#gather()
      if (plan.entries.length === 0) return
      this.#committing = true
      try {
        await this.#commit(plan)
      } catch (error) {
        // Nothing here is expected to throw; what does must not leave the lane standing with these sends in it.
        this.#options.logger.error({ err: error }, 'a commit failed')
        this.waiting -= plan.entries.length
      } finally {
        this.#committing = false
        for (const conversation of conversations) conversation.committing = false
      }
      for (const task of this.#between.splice(0)) task()
      await this.#options.fanout.room()
    }
  }

  #gather(): { plan: Plan; conversations: Conversation[] } {
    const { membership, limits, clock } = this.#options
    const plan = new Plan()
    const conversations: Conversation[] = []
    const now = clock.now()
    for (let left = this.#ready.length; left > 0 && !plan.full; left--) {
      const conversation = this.#ready.shift() as Conversation
      conversation.listed = false
      if (conversation.dropped || conversation.queue.length === 0 || !this.#preparation.isReady(conversation)) continue
      const members = conversation.group === undefined ? undefined : membership.fresh(conversation.group)
      planConversation(plan, conversation, { members, limits, now })
      conversation.committing = true
      conversations.push(conversation)
      this.#list(conversation)
    }
    return { plan, conversations }
  }

  async #commit(plan: Plan): Promise<void> {
    const { log, fanout, metrics, clock } = this.#options
    const started = performance.now()
    const keys = plan.outsiders.map(({ send }) => send)
    const [written, known] = await Promise.all([
      this.#write(plan.messages),
      keys.length > 0 ? this.#until(() => log.originals(keys)) : [],
    ])
    const { outcomes, requeued } = resolve(plan, { written, known })
    this.waiting -= outcomes.length
    for (const [conversation, pending] of requeued) {
      if (conversation.dropped) this.waiting -= pending.length
      else conversation.queue = pending.concat(conversation.queue)
    }
    for (const conversation of [...requeued.keys()].reverse()) if (!conversation.dropped) this.#list(conversation, true)
    metrics.committed(plan.messages.length, performance.now() - started)
    fanout.push(outcomes.map((outcome) => jobItem(outcome, clock.now())))
  }

  /** Appends, and finds out what is stored when that is not clear. */
  async #write(messages: readonly Message[]): Promise<Written> {
    const { log, logger } = this.#options
    if (messages.length === 0) return { isStored: () => true }
    let appended: Appended
    try {
      appended = await log.append(messages)
    } catch (error) {
      if (!(error instanceof OutcomeUnknown)) throw error
      logger.warn(
        { reason: error.message, cause: String(error.cause ?? '') },
        'a commit was not confirmed, reading back',
      )
      const stored = await this.#until(() => log.stored(messages))
      return { isStored: (index) => stored[index] === true, unsure: true }
    }
    const { stored, stoppedBy } = appended
    const isStored = (index: number) => index < stored
    if (stoppedBy === undefined) return { isStored }
    const refused = messages[stored] as Message
    if (stoppedBy === 'seq') return { isStored, stop: { index: stored, by: 'seq' } }
    const [original] = await this.#until(() => log.originals([refused]))
    return { isStored, stop: { index: stored, by: 'msgId', original } }
  }

  /** Tries until the database answers: without the answer the lane cannot go on. */
  async #until<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        this.#options.logger.warn({ reason: String(error) }, 'the log cannot be read, trying again')
        await delay(READ_BACK_RETRY_MS)
      }
    }
  }
}

function again(message: Message, except: string): JobItem {
  return { frame: { message, except, again: true } }
}

function jobItem(outcome: Outcome, now: number): JobItem {
  const { run, send } = outcome.pending
  const answered = { run, answer: answerOf(outcome) }
  if (outcome.kind === 'stored')
    return { frame: { message: outcome.message, except: send.conn, again: false }, answered }
  if (outcome.kind === 'refused' || outcome.sameCommit || outcome.original.at < now - REPEATED_WITHIN_MS)
    return { answered }
  const { seq, at, hash } = outcome.original
  // The repeat has the original's content, or it would have been refused.
  const message = number(send, { seq: seq - 1, at: at - 1 }, { hash, now: at })
  return { ...again(message, send.conn), answered }
}
