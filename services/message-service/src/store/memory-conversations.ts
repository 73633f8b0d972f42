import { type ConversationId, pairOf, type UserId } from '@qunxin/contracts'
import type { Conversations } from './conversations.ts'

/** Rows in memory, for tests. */
export class MemoryConversations implements Conversations {
  readonly #rows = new Map<UserId, Map<ConversationId, number>>()

  async begin(conversation: ConversationId, at: number): Promise<void> {
    for (const user of pairOf(conversation) ?? []) {
      const rows = this.#rows.get(user) ?? new Map<ConversationId, number>()
      if (!rows.has(conversation)) rows.set(conversation, at)
      this.#rows.set(user, rows)
    }
  }

  async among(user: UserId, conversations: readonly ConversationId[]): Promise<Set<ConversationId>> {
    return new Set(conversations.filter((conversation) => this.#rows.get(user)?.has(conversation)))
  }

  async of(user: UserId, limit: number): Promise<ConversationId[]> {
    const rows = [...(this.#rows.get(user) ?? [])].sort(([, one], [, other]) => other - one)
    return rows.slice(0, limit).map(([conversation]) => conversation)
  }
}
