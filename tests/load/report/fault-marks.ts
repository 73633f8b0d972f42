import type { FaultEvent } from '../result.ts'
import { clock } from './figures.ts'
import type { Mark } from './time-plot.ts'

export function marksOf(faults: readonly FaultEvent[]): Mark[] {
  return faults.map(({ at, what, over = false }, i) => ({ at, number: i + 1, text: `${clock(at)}: ${what}`, over }))
}

/** How many faults there were: what only ends one is none of its own. */
export function begun(faults: readonly FaultEvent[]): number {
  return faults.filter(({ over }) => !over).length
}
