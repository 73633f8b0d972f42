import { type History, outcomes } from '../history.ts'

/** What had been sent by a moment, and to whom it is still to be shown: asked again and again while they come back. */
export class Owed {
  readonly #history: History
  /** Attempts by client. */
  readonly #to = new Map<number, Set<number>>()
  #read = 0

  /** Everything attempted by now, to all who are in its conversation. */
  constructor(history: History) {
    this.#history = history
    const { attempts, conversations } = history
    for (let attempt = 0; attempt < attempts.sender.length; attempt++)
      for (const client of conversations[attempts.conversation.at(attempt)]?.members.keys() ?? [])
        if (client !== attempts.sender.at(attempt)) this.#add(client, attempt)
  }

  /** Whether that client has been shown everything; what was refused for good is owed to nobody. */
  isShownTo(client: number): boolean {
    this.#update()
    const left = this.#to.get(client) ?? new Set()
    const { outcome } = this.#history.attempts
    for (const attempt of left) {
      if (outcome.at(attempt) !== outcomes.refused) return false
      left.delete(attempt)
    }
    return true
  }

  #add(client: number, attempt: number): void {
    const owed = this.#to.get(client) ?? new Set()
    this.#to.set(client, owed.add(attempt))
  }

  #update(): void {
    const { shown, connections } = this.#history
    for (; this.#read < shown.seq.length; this.#read++) {
      const client = connections.client.at(shown.connection.at(this.#read))
      this.#to.get(client)?.delete(shown.attempt.at(this.#read))
    }
  }
}
