import type { SendEntry } from '@qunxin/contracts'

/** An owner fans out again what was stored less than a minute ago; a send may have taken its time before. */
const REMEMBERED_MS = 90_000
/** Above it the oldest are forgotten: what is shown to its own sender then is a repeat, not a loss. */
const MOST = 100_000

/**
 * Sends that ended here without the owner's word: they may be stored all the same. When an owner fans them out again, this says
 * that they came from that very connection, which is not shown them.
 */
export class RefusedSends {
  /** Until when each is remembered (ms since 1970), the oldest first. */
  readonly #until = new Map<string, number>()

  add({ conn, conversation, msgId }: SendEntry, now: number): void {
    if (conn === '') return
    const key = keyOf(conn, conversation, msgId)
    this.#until.delete(key)
    this.#until.set(key, now + REMEMBERED_MS)
    if (this.#until.size <= MOST) return
    const [oldest] = this.#until.keys()
    if (oldest !== undefined) this.#until.delete(oldest)
  }

  has(conn: string, conversation: string, msgId: string): boolean {
    return this.#until.size > 0 && this.#until.has(keyOf(conn, conversation, msgId))
  }

  /** Forgets those whose time is over. */
  sweep(now: number): void {
    for (const [key, until] of this.#until) {
      if (until > now) return
      this.#until.delete(key)
    }
  }
}

function keyOf(conn: string, conversation: string, msgId: string): string {
  return `${conn} ${conversation} ${msgId}`
}
