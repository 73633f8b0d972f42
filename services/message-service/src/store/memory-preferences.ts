import { type ConversationId, type PreferenceChange, peerOf, type UserId } from '@qunxin/contracts'
import { type Preference, type Preferences, says } from './preferences.ts'

/** Preferences in memory, for tests. */
export class MemoryPreferences implements Preferences {
  readonly #rows = new Map<string, Preference>()

  async version(user: UserId, conversation: ConversationId): Promise<number> {
    return this.#rows.get(`${user}/${conversation}`)?.version ?? 0
  }

  async change(change: PreferenceChange): Promise<Preference | undefined> {
    const { user, conversation, version, blocked, muted } = change
    const key = `${user}/${conversation}`
    const row = this.#rows.get(key) ?? { user, conversation, version: 0, blocked: false, muted: false }
    if (row.version !== version) return says(row, change) ? row : undefined
    const changed = { ...row, version: version + 1, blocked: blocked ?? row.blocked, muted: muted ?? row.muted }
    this.#rows.set(key, changed)
    return changed
  }

  async ofPairs(conversations: readonly ConversationId[]): Promise<Preference[]> {
    return [...this.#rows.values()].filter(({ conversation }) => conversations.includes(conversation))
  }

  async blockedBy(user: UserId, { after, limit }: { after: number; limit: number }): Promise<number[]> {
    const mine = [...this.#rows.values()].filter((row) => row.user === user && row.blocked)
    const ids = mine.map(({ conversation }) => Number(peerOf(conversation, user)))
    return ids
      .filter((id) => id > after)
      .sort((one, other) => one - other)
      .slice(0, limit)
  }

  async mutedIn(conversation: ConversationId): Promise<Set<UserId>> {
    const there = [...this.#rows.values()].filter((row) => row.conversation === conversation && row.muted)
    return new Set(there.map(({ user }) => user))
  }
}
