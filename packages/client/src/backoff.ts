const FIRST_MS = 500
const LONGEST_MS = 30_000
const PAUSE_MS = 5_000

/**
 * Milliseconds to wait before the next attempt, `failures` counting from 0. Half of it is random, so that the clients of a
 * gateway that went away do not all come back in the same moment.
 */
export function reconnectDelay(failures: number, after: 'reconnect' | 'later' | 'newToken'): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures)
  const delay = full / 2 + (Math.random() * full) / 2
  return after === 'later' ? PAUSE_MS + delay : delay
}
