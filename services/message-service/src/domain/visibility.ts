import type { MembershipInterval } from '@qunxin/contracts'
import type { Position } from './numbering.ts'

/** What a member may see of a group whose history is `joined`, oldest first; undefined is everything. */
export type Visible = readonly MembershipInterval[] | undefined

/** Part of a conversation, both ends included; without `toSeq` it is open. */
export interface SeqRange {
  fromSeq: number
  toSeq?: number
}

/** Whether a message may be seen: by seq where that is known, else by time. */
export function isVisible(visible: Visible, { seq, at }: Position): boolean {
  return visible === undefined || visible.some((interval) => isWithin(interval, { seq, at }))
}

function isWithin({ afterSeq, afterTime, toSeq, toTime }: MembershipInterval, { seq, at }: Position): boolean {
  const isBehind = afterSeq === undefined ? at > afterTime : seq > afterSeq
  if (!isBehind) return false
  return toSeq === undefined ? toTime === undefined || at <= toTime : seq <= toSeq
}

/** The times that stand for a seq: times rise with seqs, so each is the seq of the newest message that is not later. */
export function timesIn(visible: Visible): number[] {
  const times = (visible ?? []).flatMap(({ afterSeq, afterTime, toSeq, toTime }) => [
    afterSeq === undefined ? afterTime : undefined,
    toSeq === undefined ? toTime : undefined,
  ])
  return times.filter((time) => time !== undefined)
}

/**
 * What may be seen as ranges of seq, oldest first, none of them empty and no two overlapping.
 *
 * @param seqAt the newest seq that is not later, for each of {@link timesIn}
 */
export function rangesOf(visible: Visible, seqAt: (time: number) => number): SeqRange[] {
  if (visible === undefined) return [{ fromSeq: 1 }]
  const ranges: SeqRange[] = []
  let next = 1
  for (const { afterSeq, afterTime, toSeq, toTime } of visible) {
    const fromSeq = Math.max(next, (afterSeq ?? seqAt(afterTime)) + 1)
    const last = toSeq ?? (toTime === undefined ? undefined : seqAt(toTime))
    if (last === undefined) return [...ranges, { fromSeq }]
    if (last < fromSeq) continue
    ranges.push({ fromSeq, toSeq: last })
    next = last + 1
  }
  return ranges
}

export function isInRanges(ranges: readonly SeqRange[], seq: number): boolean {
  return ranges.some(({ fromSeq, toSeq }) => seq >= fromSeq && (toSeq === undefined || seq <= toSeq))
}

/** What of the ranges lies in another one. */
export function clipped(ranges: readonly SeqRange[], { fromSeq, toSeq }: SeqRange): SeqRange[] {
  return ranges.flatMap((range) => {
    const first = Math.max(range.fromSeq, fromSeq)
    const last = Math.min(range.toSeq ?? Number.POSITIVE_INFINITY, toSeq ?? Number.POSITIVE_INFINITY)
    if (last < first) return []
    return [last === Number.POSITIVE_INFINITY ? { fromSeq: first } : { fromSeq: first, toSeq: last }]
  })
}
