import type { ConversationId, FrameItem } from '@qunxin/contracts'

type Cursor = NonNullable<FrameItem['cursor']>

/**
 * The one unused longest is forgotten first: whoever is shown it behind a further one then has seen 500 others meanwhile. Every
 * message whose counts are told is one of them, so an author of many fills it: about 150 bytes each.
 */
const MOST = 500

/** How far one connection was shown each user, and the counts of each of its messages, to be: it never sees one move back. */
export class ShownCursors {
  readonly #shown = new Map<string, Pick<Cursor, 'delivered' | 'read'>>()

  /** Returns whether a cursor shows anything new; if so it counts as shown. */
  advance(conversation: ConversationId, { of, delivered, read }: Cursor): boolean {
    const key = `${of} ${conversation}`
    const last = this.#shown.get(key)
    if (last && delivered <= last.delivered && read <= last.read) return false
    // Put in anew it stands last.
    this.#shown.delete(key)
    this.#shown.set(key, {
      delivered: Math.max(delivered, last?.delivered ?? 0),
      read: Math.max(read, last?.read ?? 0),
    })
    if (this.#shown.size > MOST) {
      const [oldest] = this.#shown.keys()
      if (oldest !== undefined) this.#shown.delete(oldest)
    }
    return true
  }
}
