import { LRUCache } from 'lru-cache'
import { AT_START, type Cursor, further } from '../domain/present.ts'
import type { CursorKey } from '../store/cursors.ts'
import { keyOf } from './gathering.ts'

const MOST_CURSORS = 50_000

/**
 * Cursors that this process has stored and told of, so that a repeat costs nothing. Who does not remember tells once more, which
 * is what the repeat is for: whoever stored it may have died before telling.
 */
export class Told {
  readonly #cursors = new LRUCache<string, Cursor>({ max: MOST_CURSORS })

  of(key: CursorKey): Cursor {
    return this.#cursors.get(keyOf(key)) ?? AT_START
  }

  covers(key: CursorKey, { deliveredSeq, readSeq }: Cursor): boolean {
    const told = this.of(key)
    return told.deliveredSeq >= deliveredSeq && told.readSeq >= readSeq
  }

  add(key: CursorKey, cursor: Cursor): void {
    if (!this.covers(key, cursor)) this.#cursors.set(keyOf(key), further(this.of(key), cursor))
  }
}
