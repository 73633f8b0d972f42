import type { UserId } from '@qunxin/contracts'
import type { Cursor } from '../domain/present.ts'
import type { GroupState } from './group-state.ts'
import type { Counts } from './states.ts'

/** So far back an author is told of a message. */
export const COUNTED_MESSAGES = 500

/** For each author of a message whose counts changed since they were told last: the counts of the newest such message. */
export function changedCounts(state: GroupState): Counts[] {
  const { authors, members, newest } = state
  const first = Math.max(authors.firstSeq, newest - COUNTED_MESSAGES + 1)
  const crossed = crossedFrom(first, state)
  const counts: Counts[] = []
  const done = new Set<UserId>()
  for (let seq = newest; seq >= first; seq--) {
    const author = authors.from[seq - authors.firstSeq]
    if (!author || done.has(author) || !members.has(author)) continue
    // Nobody counts for their own message.
    const before = state.moved.get(author)
    const own = before ? crossings(seq, before, state.of(author)) : 0
    if (!state.recount && (crossed[seq - first] ?? 0) <= own) continue
    done.add(author)
    counts.push(countsOf(state, author, seq))
  }
  return counts
}

/** Counts whoever was a member when the message was sent and still is, without its author. */
function countsOf(state: GroupState, author: UserId, seq: number): Counts {
  const counts = { author, seq, deliveredCount: 0, readCount: 0, total: 0 }
  for (const [user, { deliveredSeq, readSeq }] of state.entries()) {
    if (user === author || (state.members.joinedSeq.get(user) ?? 0) >= seq) continue
    counts.total += 1
    if (deliveredSeq >= seq) counts.deliveredCount += 1
    if (readSeq >= seq) counts.readCount += 1
  }
  return counts
}

/** For each seq from `first` on, how many cursors came past it. */
function crossedFrom(first: number, state: GroupState): number[] {
  const length = Math.max(0, state.newest - first + 1)
  const steps = new Array<number>(length + 1).fill(0)
  const cross = (from: number, to: number) => {
    const begin = Math.max(from + 1, first) - first
    const end = Math.min(to, state.newest) - first
    if (begin > end) return
    steps[begin] = (steps[begin] ?? 0) + 1
    steps[end + 1] = (steps[end + 1] ?? 0) - 1
  }
  for (const [user, before] of state.moved) {
    const now = state.of(user)
    cross(before.deliveredSeq, now.deliveredSeq)
    cross(before.readSeq, now.readSeq)
  }
  let sum = 0
  return steps.slice(0, length).map((step) => {
    sum += step
    return sum
  })
}

function crossings(seq: number, before: Cursor, now: Cursor): number {
  const delivered = before.deliveredSeq < seq && seq <= now.deliveredSeq
  const read = before.readSeq < seq && seq <= now.readSeq
  return Number(delivered) + Number(read)
}
