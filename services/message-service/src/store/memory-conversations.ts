import { type ConversationId, pairOf, type UserId } from '@qunxin/contracts'
import type { Conversations } from './conversations.ts'
import { byPlace, type Place } from './overviews.ts'

/** Rows in memory, for tests. */
export class MemoryConversations implements Conversations {
  readonly #rows = new Map<UserId, Map<ConversationId, number>>()

  async begin(conversations: readonly ConversationId[], at: number): Promise<void> {
    for (const conversation of conversations) {
      for (const user of pairOf(conversation) ?? []) {
        const rows = this.#rows.get(user) ?? new Map<ConversationId, number>()
        if (!rows.has(conversation)) rows.set(conversation, at)
        this.#rows.set(user, rows)
      }
    }
  }

  async among(user: UserId, conversations: readonly ConversationId[]): Promise<Set<ConversationId>> {
    return new Set(conversations.filter((conversation) => this.#rows.get(user)?.has(conversation)))
  }

  async touch(hints: readonly { conversation: ConversationId; at: number }[]): Promise<void> {
    for (const { conversation, at } of hints) {
      for (const user of pairOf(conversation) ?? []) {
        const rows = this.#rows.get(user)
        const before = rows?.get(conversation)
        if (before !== undefined) rows?.set(conversation, Math.max(before, at))
      }
    }
  }

  async of(user: UserId, limit: number): Promise<ConversationId[]> {
    return this.rows(user)
      .slice(0, limit)
      .map(({ conversation }) => conversation)
  }

  async ofUsers(users: readonly UserId[], limit: number): Promise<Map<UserId, ConversationId[]>> {
    const found = new Map<UserId, ConversationId[]>()
    let room = limit
    for (const user of users) {
      const mine = await this.of(user, limit + 1)
      room -= mine.length
      if (room >= 0) found.set(user, mine)
    }
    return found
  }

  /** All rows of a user in the order of a list. */
  rows(user: UserId): Place[] {
    return [...(this.#rows.get(user) ?? [])].map(([conversation, at]) => ({ conversation, at })).sort(byPlace)
  }
}
