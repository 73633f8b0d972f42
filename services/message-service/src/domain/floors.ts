import type { UserId } from '@qunxin/contracts'
import type { Cursor, Floor, FloorEntry } from './present.ts'

/** Groups up to here have counts and floors, and are read anew for each question about receipts (protocol §5). */
export const COUNTED_MEMBERS = 500

/** The two lowest of each cursor. */
export function floorOf(cursors: Iterable<[UserId, Cursor]>): Floor {
  const delivered: FloorEntry[] = []
  const read: FloorEntry[] = []
  for (const [user, { deliveredSeq, readSeq }] of cursors) {
    keepLowest(delivered, [user, deliveredSeq])
    keepLowest(read, [user, readSeq])
  }
  return { delivered, read }
}

function keepLowest(lowest: FloorEntry[], entry: FloorEntry): void {
  const [first, second] = lowest
  if (!first || entry[1] < first[1]) lowest.unshift(entry)
  else if (!second || entry[1] < second[1]) lowest.splice(1, 0, entry)
  if (lowest.length > 2) lowest.pop()
}

/** A floor, and the version of the membership it was made from. */
export interface VersionedFloor extends Floor {
  version: number
}

/**
 * Whether a floor may take the place of the one that is stored. Nobody's cursor moves back and who joins is at the newest
 * message, so a lower one was made from less than is known by now. Only a group of one has no second lowest: it has one again
 * when somebody joins.
 */
export function mayReplace(stored: VersionedFloor, next: VersionedFloor): boolean {
  return (['delivered', 'read'] as const).every((cursor) => {
    const before = stored[cursor]
    const after = next[cursor]
    if (before.length !== after.length) return next.version > stored.version && lowest(after) >= lowest(before)
    return after.every(([, seq], index) => seq >= (before[index]?.[1] ?? 0))
  })
}

function lowest(entries: readonly FloorEntry[]): number {
  return entries[0]?.[1] ?? 0
}

export function isSameFloor(one: Floor, other: Floor): boolean {
  return (['delivered', 'read'] as const).every(
    (cursor) =>
      one[cursor].length === other[cursor].length &&
      one[cursor].every(
        ([user, seq], index) => other[cursor][index]?.[0] === user && other[cursor][index]?.[1] === seq,
      ),
  )
}
