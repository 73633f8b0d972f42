import type { ConversationId, UserId } from '@qunxin/contracts'
import type { Conversation } from '../partition/conversation.ts'
import type { ConversationCache } from '../partition/conversations.ts'
import type { Preferences } from '../store/preferences.ts'

/** After that it is read again: another owner may have changed it in the moment in which we took over. */
const KEPT_MS = 60_000
const NOBODY: ReadonlySet<UserId> = new Set()

interface Reading {
  users: Promise<ReadonlySet<UserId>>
  until: number
}

/** Who muted a conversation: of those in memory it is read once in a while, and what changes meanwhile comes to the owner anyway. */
export class MutedUsers {
  readonly #conversations: ConversationCache
  readonly #store: Pick<Preferences, 'mutedIn'>
  readonly #readings = new WeakMap<Conversation, Reading>()

  constructor(conversations: ConversationCache, store: Pick<Preferences, 'mutedIn'>) {
    this.#conversations = conversations
    this.#store = store
  }

  async of(id: ConversationId): Promise<ReadonlySet<UserId>> {
    const conversation = this.#conversations.peek(id)
    if (!conversation) return await this.#store.mutedIn(id)
    const { group, preferences, preferencesAt } = conversation
    // Those of a personal conversation came with its tail.
    const isWhole = group === undefined && preferencesAt > -Infinity
    const read = isWhole ? NOBODY : await this.#read(conversation)
    if (preferences.size === 0) return read
    const muted = new Set(read)
    for (const { user, muted: isMuted } of preferences.values()) {
      if (isMuted) muted.add(user)
      else muted.delete(user)
    }
    return muted
  }

  #read(conversation: Conversation): Promise<ReadonlySet<UserId>> {
    const known = this.#readings.get(conversation)
    const now = performance.now()
    if (known && now < known.until) return known.users
    // What was changed before is in the store; what is changed from here on comes on top.
    if (conversation.group !== undefined) conversation.preferences.clear()
    const reading = { users: this.#store.mutedIn(conversation.id), until: now + KEPT_MS }
    this.#readings.set(conversation, reading)
    reading.users.catch(() => this.#readings.delete(conversation))
    return reading.users
  }
}
