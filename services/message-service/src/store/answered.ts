import { withinTime } from '@qunxin/runtime'

/** Longer than the server takes to give a write up (MAJORITY). */
const ANSWER_LIMIT_MS = 6_000

/**
 * Waits for MongoDB, but not for ever: written to at the moment its server is killed, a socket never drains, and the driver
 * waits for that without a limit.
 */
export function answered<T>(operation: Promise<T>): Promise<T> {
  return withinTime(ANSWER_LIMIT_MS, operation)
}
