import type { ConversationId } from '@qunxin/contracts'
import { Conversation } from './conversation.ts'

/** The conversations in memory, at most so many: the ones used longest ago go first, those with work to do stay. */
export class ConversationCache {
  readonly #byId = new Map<ConversationId, Conversation>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  /** Looks it up or begins it, and counts as a use. */
  use(id: ConversationId, partition: number): Conversation {
    let conversation = this.#byId.get(id)
    if (conversation) this.#byId.delete(id)
    else conversation = new Conversation(id, partition)
    this.#byId.set(id, conversation)
    if (this.#byId.size > this.#most) this.#evict()
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

  #evict(): void {
    for (const [id, conversation] of this.#byId) {
      if (this.#byId.size <= this.#most) return
      // The one just asked for stands last: it stays, though it has nothing to do yet.
      if (conversation.idle && this.#byId.size > 1) {
        conversation.dropped = true
        this.#byId.delete(id)
      }
    }
  }
}
