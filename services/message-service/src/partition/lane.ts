import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '@qunxin/runtime'
import type { Limits } from '../domain/limits.ts'
import type { Message } from '../domain/message.ts'
import type { MessageEvents } from '../events/message-events.ts'
import type { Fanout } from '../fanout/fanout.ts'
import type { JobItem } from '../fanout/job.ts'
import type { LaneMetrics } from '../metrics.ts'
import { applyChanges } from './changes.ts'
import type { Conversation } from './conversation.ts'
import { answerOf, type Outcome, type Pending, repeatedBy } from './pending.ts'
import { Plan, pendingIn, planConversation } from './plan.ts'
import { Preparation, type PreparationOptions } from './preparation.ts'
import { resolve } from './resolve.ts'
import { LogWriter } from './writer.ts'

/** A duplicate of a message younger than this is fanned out again: a crash may have stood between commit and fan-out. */
const REPEATED_WITHIN_MS = 60_000

export interface LaneOptions extends PreparationOptions {
  fanout: Fanout
  limits: Limits
  /** Told of what is in the log now, from memory and at once. */
  stored(messages: readonly Message[]): void
  metrics: LaneMetrics
  events: Pick<MessageEvents, 'stored' | 'doubted'>
  /** Undefined when others would publish what we store now should we die; else resolves when that is so. */
  standing(): Promise<void> | undefined
  /** Called before each commit: drops every cache when the event loop has stood still. */
  beforeCommit(): void
}

/** How much a lane has taken in and not decided yet. */
export interface Waiting {
  sends: number
  bytes: number
}

/** Commits the sends of its partitions, one commit under way at a time, so that nothing is ever visible behind a hole. */
export class Lane {
  readonly #options: LaneOptions
  readonly #preparation: Preparation
  readonly #writer: LogWriter
  readonly #stopped = new AbortController()
  /** Conversations with sends, in the order to serve them. */
  readonly #ready: Conversation[] = []
  #between: (() => void)[] = []
  #scheduled = false
  #committing = false
  /** No message of the commit under way is older. */
  #plannedAt = Number.POSITIVE_INFINITY
  #running: Promise<void> | undefined
  readonly waiting: Waiting = { sends: 0, bytes: 0 }

  constructor(options: LaneOptions) {
    this.#options = options
    this.#writer = new LogWriter({ log: options.log, logger: options.logger, signal: this.#stopped.signal })
    this.#preparation = new Preparation(options, {
      ready: (conversation) => this.#list(conversation),
      again: (messages) => {
        options.events.stored(messages)
        options.fanout.push(messages.map((message) => again(message, '')))
      },
    })
  }

  enqueue(conversation: Conversation, pending: Pending): void {
    conversation.queue.push(pending)
    this.waiting.sends += 1
    this.waiting.bytes += pending.bytes
    this.#list(conversation)
  }

  /**
   * Calls back between two commits, when the newest seq of the conversation stands still; loads its tail first, if need be.
   *
   * @throws AppError UNAVAILABLE when the conversation was dropped meanwhile: it may have another owner
   */
  async between(conversation: Conversation, task: (lastSeq: number) => void): Promise<void> {
    const run = () => {
      if (conversation.dropped) throw new AppError('UNAVAILABLE')
      if (!conversation.position) return false
      task(conversation.position.seq)
      return true
    }
    for (;;) {
      while (!conversation.position && !conversation.dropped) await this.#preparation.tail(conversation)
      if (await this.#whenStill(run)) return
    }
  }

  /** Resolves when no commit is under way that was planned before the call. */
  async still(): Promise<void> {
    await this.#whenStill(() => true)
  }

  /** Forgets sends of conversations that were dropped from the cache. */
  dropped(conversations: readonly Conversation[]): void {
    for (const conversation of conversations) {
      this.#decided(conversation.queue)
      conversation.queue = []
    }
  }

  /** The oldest message that is being stored, or is stored and not sent out yet (ms of the log). */
  get untoldSince(): number {
    return Math.min(this.#plannedAt, this.#options.fanout.untoldSince)
  }

  /** Resolves when everything taken in is decided and sent out. */
  async idle(): Promise<void> {
    while (this.waiting.sends > 0 || this.#running !== undefined) await (this.#running ?? delay(5))
    await this.#options.fanout.idle()
  }

  /** Gives up on what cannot be finished. */
  stop(): void {
    this.#stopped.abort()
  }

  #whenStill(run: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const attempt = () => {
        try {
          resolve(run())
        } catch (error) {
          reject(error)
        }
      }
      if (this.#committing) this.#between.push(attempt)
      else attempt()
    })
  }

  #decided(pending: readonly Pending[]): void {
    for (const { bytes } of pending) this.waiting.bytes -= bytes
    this.waiting.sends -= pending.length
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
        const [next] = this.#ready
        if (next) this.#list(next)
      })
    })
  }

  async #run(): Promise<void> {
    for (;;) {
      const standing = this.#options.standing()
      if (standing !== undefined) await standing
      this.#options.beforeCommit()
      this.#plannedAt = this.#options.clock.now()
      const { plan, conversations } = this.#gather(this.#plannedAt)
      if (plan.entries.length === 0) {
        this.#plannedAt = Number.POSITIVE_INFINITY
        return
      }
      this.#committing = true
      try {
        await this.#commit(plan)
      } catch (error) {
        // Nothing here is expected to throw while we run. Whatever it was, what is stored is in the log: the tails are read
        // again, and the gateways' repeats of these sends are taken.
        this.#options.logger.error({ err: error }, 'a commit failed')
        this.#options.events.doubted(this.#plannedAt)
        for (const conversation of conversations) conversation.forget()
        const pending = plan.entries.map(pendingIn)
        for (const { run } of pending) run.unanswered = 0
        this.#decided(pending)
      } finally {
        this.#committing = false
        this.#plannedAt = Number.POSITIVE_INFINITY
        for (const conversation of conversations) conversation.committing = false
      }
      for (const task of this.#between.splice(0)) task()
      await this.#options.fanout.room()
    }
  }

  #gather(now: number): { plan: Plan; conversations: Conversation[] } {
    const { membership, limits } = this.#options
    const plan = new Plan()
    const conversations: Conversation[] = []
    for (let left = this.#ready.length; left > 0 && !plan.full; left--) {
      const conversation = this.#ready.shift() as Conversation
      conversation.listed = false
      if (conversation.dropped || conversation.queue.length === 0) continue
      // Asked for once: a moment later they may be fresh no more.
      const members = conversation.group === undefined ? undefined : membership.fresh(conversation.group)
      if (!this.#preparation.isReady(conversation, members)) continue
      planConversation(plan, conversation, { members, limits, now })
      conversation.committing = true
      conversations.push(conversation)
      this.#list(conversation)
    }
    return { plan, conversations }
  }

  async #commit(plan: Plan): Promise<void> {
    const { fanout, events, metrics, clock } = this.#options
    const started = performance.now()
    const keys = plan.doubtful.map(({ send }) => send)
    const [written, known] = await Promise.all([this.#writer.write(plan.messages), this.#writer.originals(keys)])
    const stored = written.all ? plan.messages : plan.messages.filter((_, index) => written.isStored(index))
    // What was given up may be stored still.
    if (written.unsure && stored.length < plan.messages.length) events.doubted(this.#plannedAt)
    const { outcomes, requeued } = resolve(plan, { written, known })
    for (const { pending } of outcomes) this.waiting.bytes -= pending.bytes
    this.waiting.sends -= outcomes.length
    for (const [conversation, pending] of requeued) {
      if (conversation.dropped) this.#decided(pending)
      else conversation.queue = pending.concat(conversation.queue)
    }
    for (const conversation of [...requeued.keys()].reverse()) if (!conversation.dropped) this.#list(conversation, true)
    this.#options.stored(stored)
    metrics.committed(plan.messages.length, performance.now() - started)
    await applyChanges(outcomes, (changes) => this.#writer.applyChanges(changes))
    const told: Message[] = []
    const job: JobItem[] = []
    const now = clock.now()
    for (const outcome of outcomes) {
      if (outcome.kind === 'stored') told.push(outcome.message)
      job.push(jobItem(outcome, now))
    }
    events.stored(told, this.#plannedAt)
    fanout.push(job)
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
  if (outcome.kind === 'refused' || outcome.quiet || outcome.original.at < now - REPEATED_WITHIN_MS) return { answered }
  // What it brings along is not what the message says now.
  if (outcome.original.recalled || outcome.original.edited !== undefined) return { answered }
  return { ...again(repeatedBy(outcome), send.conn), answered }
}
