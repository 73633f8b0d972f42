import type { History } from '../history.ts'
import type { Counts, FaultEvent } from '../result.ts'

/** What a run has seen, for what had to hold beside the verdict. */
export interface Seen {
  history: History
  faults: readonly FaultEvent[]
  /** When the measured part began, of `performance.now()`. */
  beganAt: number
  counts: Counts
}
