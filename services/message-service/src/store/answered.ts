import { withinTime } from '@qunxin/runtime'

/** Longer than the server takes to give a write up (MAJORITY). */
const ANSWER_LIMIT_MS = 6_000

/** Waits for MongoDB, but no longer than a lane can be held: a connection that falls silent is given up by the driver later. */
export function answered<T>(operation: Promise<T>): Promise<T> {
  return withinTime(ANSWER_LIMIT_MS, operation)
}
