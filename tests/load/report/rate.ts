import type { Moment } from '../result.ts'

export type Counted = 'acknowledged' | 'delivered' | 'refused'

/** Seconds, and how many a second; an entry may cover a little more or less than one. */
export function ratesOf(timeline: readonly Moment[], counted: Counted): [at: number, rate: number][] {
  return timeline.map((moment, i) => {
    const covered = moment.at - (timeline[i - 1]?.at ?? 0)
    return [moment.at, covered > 0 ? moment[counted] / covered : 0]
  })
}
