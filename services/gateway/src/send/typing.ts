import type { Bus } from '@qunxin/bus'
import { type ConversationId, partitionOf, subjects, type TypingNotice, type UserId } from '@qunxin/contracts'

/** Of one user in one conversation the others are told this often: who sees it shows it for longer. */
const ONCE_IN_MS = 2_000
/** Above it the oldest are forgotten: one frame more. */
const MOST = 50_000

export interface TypingOptions {
  bus: Pick<Bus, 'writable' | 'publish'>
  partitions: number
}

/** Hands to the partition owners who is typing. What gets lost on the way, or comes too often, is nothing to anybody. */
export class Typing {
  readonly #options: TypingOptions
  /** When each user was last told of in each conversation, the oldest first. */
  readonly #toldAt = new Map<string, number>()

  constructor(options: TypingOptions) {
    this.#options = options
  }

  take(user: UserId, conversation: ConversationId, now = performance.now()): void {
    const { bus, partitions } = this.#options
    const key = `${user} ${conversation}`
    this.#forget(now - ONCE_IN_MS)
    if (this.#toldAt.has(key) || !bus.writable) return
    this.#toldAt.set(key, now)
    const notice: TypingNotice = { user, conversation }
    bus.publish(subjects.partitionTyping(partitionOf(conversation, partitions)), JSON.stringify(notice))
  }

  #forget(until: number): void {
    for (const [key, toldAt] of this.#toldAt) {
      if (toldAt > until && this.#toldAt.size < MOST) return
      this.#toldAt.delete(key)
    }
  }
}
