import { setTimeout as delay } from 'node:timers/promises'
import { type ConversationId, pairOf } from '@qunxin/contracts'
import type { Clock, Logger } from '@qunxin/runtime'
import type { Message } from '../domain/message.ts'
import { RECENT } from '../domain/recent.ts'
import type { MembershipCache } from '../membership/cache.ts'
import type { Members } from '../membership/members.ts'
import type { PairPreferences } from '../preferences/pair-preferences.ts'
import { SETTLING_MS } from '../preferences/settling.ts'
import { BatchLoader } from '../store/batch-loader.ts'
import type { Conversations } from '../store/conversations.ts'
import type { MessageLog, Tail } from '../store/message-log.ts'
import type { Conversation } from './conversation.ts'
import { Pace } from './pace.ts'
import { Slots } from './slots.ts'
import type { Tenures } from './tenures.ts'

const MOST_YOUNG = 1_000
/** Of what is read of one conversation: these share the connections to MongoDB with commits. */
const LOADS_AT_ONCE = 32
/** Conversations loaded with one question, and begun with one write. */
const TAILS = 64
const BEGUN = 250
const RETRY_MS = 200
const COMPLAIN_EVERY_MS = 5_000

export interface PreparationOptions {
  log: MessageLog
  conversations: Conversations
  membership: MembershipCache
  preferences: Pick<PairPreferences, 'of'>
  /** Since when we have owned a partition without a break (monotonic ms); undefined when we do not. */
  ownedSince(partition: number): number | undefined
  tenures: Tenures
  clock: Clock
  logger: Logger
}

/** Brings into memory what a conversation needs before its sends can be numbered; a lane never waits for it. */
export class Preparation {
  readonly #options: PreparationOptions
  readonly #slots = new Slots(LOADS_AT_ONCE)
  readonly #tails: BatchLoader<ConversationId, Tail>
  readonly #begun: BatchLoader<ConversationId, ConversationId>
  readonly #again: (messages: readonly Message[]) => void
  readonly #ready: (conversation: Conversation) => void
  #complainedAt = -Infinity

  /** `ready` is called when a conversation may be looked at again, `again` for messages whose fan-out may have been lost. */
  constructor(
    options: PreparationOptions,
    calls: { ready(conversation: Conversation): void; again(messages: readonly Message[]): void },
  ) {
    this.#options = options
    const { log, conversations, clock } = options
    this.#tails = new BatchLoader(TAILS, (ids) => log.tails(ids, RECENT))
    this.#begun = new BatchLoader(BEGUN, async (ids) => {
      await conversations.begin(ids, clock.now())
      return ids
    })
    this.#ready = calls.ready
    this.#again = calls.again
  }

  /** True when it is ready now, for a group with these members; else what it needs is on its way. */
  isReady(conversation: Conversation, members: Members | undefined): boolean {
    if (conversation.loading) return false
    const { group, position } = conversation
    const isKnown =
      group === undefined
        ? this.#knowsPreferences(conversation)
        : members !== undefined && this.#knowsPace(conversation, members)
    if (position && isKnown) return true
    void this.#load(conversation)
    return false
  }

  /** Resolves when the place of the conversation in the log is known, or it was dropped. */
  async tail(conversation: Conversation): Promise<void> {
    conversation.tailLoading ??= this.#until(conversation, () => this.#readTail(conversation)).finally(() => {
      conversation.tailLoading = undefined
    })
    await conversation.tailLoading
  }

  async #load(conversation: Conversation): Promise<void> {
    const { group, position } = conversation
    conversation.loading = true
    await Promise.all([
      position ?? this.tail(conversation),
      group !== undefined && this.#until(conversation, () => this.#options.membership.load(group)),
    ])
    await this.#settle(conversation)
    await this.#loadPace(conversation)
    conversation.loading = false
    if (!conversation.dropped) this.#ready(conversation)
  }

  /** What was read while another may still have acted for the partition is read once more: the other may have changed it. */
  #knowsPreferences(conversation: Conversation): boolean {
    const { group, preferencesAt } = conversation
    if (group !== undefined || preferencesAt >= this.#settledAt(conversation)) return true
    return preferencesAt > -Infinity && !conversation.hasBlock && performance.now() < this.#settledAt(conversation)
  }

  /** When nobody else acts for the partition any more (monotonic ms). */
  #settledAt({ partition }: Conversation): number {
    return (this.#options.ownedSince(partition) ?? -Infinity) + SETTLING_MS
  }

  /** Nobody is refused before that: the other may be storing the very message. */
  async #settle(conversation: Conversation): Promise<void> {
    if (this.#knowsPreferences(conversation)) return
    const unsettledMs = this.#settledAt(conversation) - performance.now()
    if (unsettledMs > 0) await delay(unsettledMs, undefined, { ref: false })
    await this.#until(conversation, () => this.#readPreferences(conversation))
  }

  async #readPreferences(conversation: Conversation): Promise<void> {
    const startedAt = performance.now()
    for (const row of await this.#options.preferences.of(conversation.id)) conversation.prefer(row)
    conversation.preferencesAt = startedAt
  }

  #knowsPace({ pace }: Conversation, { slowModeMs }: Members): boolean {
    const { clock } = this.#options
    if (slowModeMs === 0) return true
    if (!pace?.covers(slowModeMs, clock.now())) return false
    pace.forgetBefore(clock.now() - slowModeMs)
    return true
  }

  /** Behind the tail: who sent what, as the log has it, so that the pause holds over a change of owner too. */
  async #loadPace(conversation: Conversation): Promise<void> {
    const { log, membership, clock } = this.#options
    const { group } = conversation
    const slowModeMs = (group !== undefined && membership.last(group)?.slowModeMs) || 0
    if (slowModeMs === 0 || conversation.pace?.covers(slowModeMs, clock.now())) return
    const since = clock.now() - slowModeMs
    await this.#until(conversation, async () => {
      conversation.pace = new Pace(since, await this.#slots.use(() => log.lastBySender(conversation.id, since)))
    })
  }

  /** Tries until it works or the conversation is dropped. */
  async #until(conversation: Conversation, attempt: () => Promise<void>): Promise<void> {
    while (!conversation.dropped) {
      try {
        return await attempt()
      } catch (error) {
        this.#complain(conversation, error)
        await delay(RETRY_MS, undefined, { ref: false })
      }
    }
  }

  /** Thousands may wait for the same server: one line now and then says enough. */
  #complain(conversation: Conversation, error: unknown): void {
    const now = performance.now()
    if (now - this.#complainedAt < COMPLAIN_EVERY_MS) return
    this.#complainedAt = now
    const reason = String(error)
    this.#options.logger.warn({ conversation: conversation.id, reason }, 'conversations cannot be loaded yet')
  }

  /** Whoever stored these may have died before doing what they say, and nobody may be told of them before that. */
  async #finishChanges({ id, seenSeq = 0 }: Conversation, tail: Tail): Promise<void> {
    const changes = tail.recent.filter(({ change, seq }) => change && seq > seenSeq)
    if (changes.length === 0) return
    const { log } = this.#options
    await this.#slots.use(async () => {
      const stored = await log.originals(changes.map(({ from, msgId }) => ({ conversation: id, from, msgId })))
      await log.applyChanges(stored.filter((one) => one !== undefined))
    })
  }

  async #readTail(conversation: Conversation): Promise<void> {
    const { log, tenures } = this.#options
    const { id, partition, seenSeq } = conversation
    const preferences = conversation.group === undefined && this.#readPreferences(conversation)
    const [tail] = await Promise.all([this.#tails.of(id), preferences])
    await this.#finishChanges(conversation, tail)
    if (tail.seq === 0 && isPair(id)) await this.#begun.of(id)
    // What a rival has stored since we looked last is new here, however old it is: it may have been numbered, and stood still.
    const afterTime = seenSeq === undefined ? tenures.toldUntil(partition) : 0
    if (tail.seq > (seenSeq ?? 0) && tail.at > afterTime) {
      const range = { fromSeq: (seenSeq ?? 0) + 1, toSeq: tail.seq, afterTime, limit: MOST_YOUNG }
      const young = await this.#slots.use(() => log.newest(id, range))
      this.#again(young.filter((message) => !conversation.refuses(message)))
    }
    conversation.take(tail)
  }
}

/** Two users who may have a conversation: nobody has one with themselves or with 0. */
function isPair(id: string): boolean {
  const pair = pairOf(id)
  return pair !== undefined && pair[0] !== '0' && pair[1] !== '0' && pair[0] !== pair[1]
}
