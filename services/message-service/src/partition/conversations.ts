import type { ConversationId } from '@qunxin/contracts'
import { Conversation } from './conversation.ts'

/** How far one use looks for something idle: when all are busy, it does not look through them all each time. */
const EVICTION_LOOKS = 32

/** The conversations in memory, at most so many: the ones used longest ago go first, those with work to do stay. */
export class ConversationCache {
  readonly #byId = new Map<ConversationId, Conversation>()
  readonly #most: number
  /** How many others may have been moved behind one before a use moves it again: to the last place each time costs too much. */
  readonly #slack: number
  #moves = 0

  constructor(most: number) {
    this.#most = most
    this.#slack = Math.floor(most / 8)
  }

  /** Looks it up or begins it, and counts as a use. */
  use(id: ConversationId, partition: number): Conversation {
    let conversation = this.#byId.get(id)
    if (conversation && this.#moves - conversation.movedAt < this.#slack) return conversation
    if (conversation) this.#byId.delete(id)
    else conversation = new Conversation(id, partition)
    this.#byId.set(conversation.id, conversation)
    conversation.movedAt = ++this.#moves
    if (this.#byId.size > this.#most) this.#evict(conversation)
    return conversation
  }

  peek(id: ConversationId): Conversation | undefined {
    return this.#byId.get(id)
  }

  /** Drops those of one partition, or all, with what waits in them; returns what was dropped. */
  drop(partition?: number): Conversation[] {
    const dropped = [...this.#byId.values()].filter((one) => partition === undefined || one.partition === partition)
    for (const conversation of dropped) {
      conversation.dropped = true
      this.#byId.delete(conversation.id)
    }
    return dropped
  }

  get size(): number {
    return this.#byId.size
  }

  #evict(wanted: Conversation): void {
    let looked = 0
    for (const [id, conversation] of this.#byId) {
      if (this.#byId.size <= this.#most || looked++ > EVICTION_LOOKS) return
      if (!conversation.idle || conversation === wanted) continue
      conversation.dropped = true
      this.#byId.delete(id)
    }
  }
}
