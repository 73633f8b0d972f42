import { type ConversationName, keyOf } from './conversation-name.ts'

/** The server passes no more on. */
const ONCE_IN_MS = 2_000

/** When the user was last said to type in each conversation. */
export class Typing {
  /** The oldest first. */
  readonly #toldAt = new Map<string, number>()

  mayTell(name: ConversationName, now = Date.now()): boolean {
    for (const [key, toldAt] of this.#toldAt) {
      if (toldAt > now - ONCE_IN_MS) break
      this.#toldAt.delete(key)
    }
    const key = keyOf(name)
    if (this.#toldAt.has(key)) return false
    this.#toldAt.set(key, now)
    return true
  }
}
