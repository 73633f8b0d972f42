import type { MessageChange, UserId } from '@qunxin/contracts'
import type { Original } from './message.ts'

/** How many of the newest messages are loaded with the tail; at most twice as many are kept. */
export const RECENT = 100

/** The newest messages of a conversation by sender and msgId, so that most repeats are known without asking the log. */
export class Recent {
  readonly #bySender = new Map<UserId, Map<string, Original>>()
  #size = 0
  #newest = 0

  get(from: UserId, msgId: string): Original | undefined {
    return this.#bySender.get(from)?.get(msgId)
  }

  add(from: UserId, msgId: string, original: Original): void {
    let sent = this.#bySender.get(from)
    if (!sent) {
      sent = new Map()
      this.#bySender.set(from, sent)
    }
    const before = sent.size
    sent.set(msgId, original)
    this.#size += sent.size - before
    if (original.seq > this.#newest) this.#newest = original.seq
    if (this.#size > 2 * RECENT) this.#forgetOldest()
  }

  /** A message was taken back or given another text: what a repeat of it brings along is not what it says now. */
  changed(from: UserId, { kind, msgId }: MessageChange, at: number): void {
    const original = this.get(from, msgId)
    if (!original) return
    if (kind === 'recall') original.recalled = true
    else original.edited = at
  }

  #forgetOldest(): void {
    const last = this.#newest - RECENT
    for (const [from, sent] of this.#bySender) {
      for (const [msgId, { seq }] of sent) if (seq <= last) sent.delete(msgId)
      if (sent.size === 0) this.#bySender.delete(from)
    }
    this.#size = 0
    for (const sent of this.#bySender.values()) this.#size += sent.size
  }
}
