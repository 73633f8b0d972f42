import type { MessageChange, UserId } from '@qunxin/contracts'
import type { Original } from './message.ts'

/** How many of the newest messages are loaded with the tail; at most twice as many are kept. */
export const RECENT = 100

/** The newest messages of a conversation by sender and msgId, so that most repeats are known without asking the log. */
export class Recent {
  readonly #byKey = new Map<string, Original>()

  get(from: UserId, msgId: string): Original | undefined {
    return this.#byKey.get(`${from}/${msgId}`)
  }

  add(from: UserId, msgId: string, original: Original): void {
    this.#byKey.set(`${from}/${msgId}`, original)
    if (this.#byKey.size > 2 * RECENT) this.#forgetOldest()
  }

  /** A message was taken back or given another text: what a repeat of it brings along is not what it says now. */
  changed(from: UserId, { kind, msgId }: MessageChange, at: number): void {
    const original = this.get(from, msgId)
    if (!original) return
    if (kind === 'recall') original.recalled = true
    else original.edited = at
  }

  #forgetOldest(): void {
    let tooMany = this.#byKey.size - RECENT
    for (const key of this.#byKey.keys()) {
      if (tooMany-- <= 0) return
      this.#byKey.delete(key)
    }
  }
}
