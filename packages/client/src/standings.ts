import { type ConversationName, keyOf } from './conversation-name.ts'
import { Given } from './given.ts'

/** Above it the conversation unused longest is forgotten: after a loss it is told of as a new one. */
const MOST = 2_000

export interface Standing {
  readonly key: string
  readonly name: ConversationName
  readonly given: Given
}

/** What the application has been given of each conversation. */
export class Standings {
  readonly #standings = new Map<string, Standing>()

  of(name: ConversationName): Standing | undefined {
    return this.#standings.get(keyOf(name))
  }

  /** The one of that conversation, used last; one that is new begins behind `base`. */
  at(name: ConversationName, base: number): Standing {
    const key = keyOf(name)
    const standing = this.#standings.get(key) ?? { key, name, given: new Given(base) }
    this.#standings.delete(key)
    this.#standings.set(key, standing)
    if (this.#standings.size > MOST) {
      const [oldest] = this.#standings.keys()
      if (oldest !== undefined) this.#standings.delete(oldest)
    }
    return standing
  }

  forget(name: ConversationName): void {
    this.#standings.delete(keyOf(name))
  }

  all(): Standing[] {
    return [...this.#standings.values()]
  }

  get isFull(): boolean {
    return this.#standings.size >= MOST
  }
}
