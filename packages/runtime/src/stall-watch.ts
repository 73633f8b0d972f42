import { every } from './every.ts'

const TICK_MS = 500

/**
 * Calls back with the length in ms when the event loop stood still longer than `limitMs` (garbage collection, SIGSTOP,
 * a paused VM): what was cached meanwhile may be wrong. Measured by the monotonic clock, which a stopped process does not stop.
 */
export function watchStalls(limitMs: number, onStall: (stoodStillMs: number) => void): { check(): void; stop(): void } {
  let last = performance.now()
  const check = () => {
    const now = performance.now()
    const late = now - last - TICK_MS
    last = now
    if (late > limitMs) onStall(late)
  }
  return { check, stop: every(TICK_MS, check).stop }
}
