import type { Caller } from '../clients/caller.ts'
import { SERVERS } from '../faults/spec.ts'
import type { Bound } from '../result.ts'
import type { Seen } from './seen.ts'

/**
 * Services that drain and come back one after the other must not show: every call is answered, or the connection refused by a
 * gateway that is away. When a server behind them is away itself, 503 is the right answer.
 */
export function httpBound(callers: readonly Caller[], { faults, beganAt }: Seen): Bound {
  const serversFrom = faults.find(({ target }) => (SERVERS as readonly string[]).includes(target ?? ''))?.at
  const until = beganAt + (serversFrom ?? Number.POSITIVE_INFINITY) * 1_000
  const errors = callers.flatMap((caller) => caller.errors).filter(({ at }) => at >= beganAt && at < until)
  const answered = callers.reduce((sum, caller) => sum + caller.answered, 0)
  const first = errors
    .slice(0, 3)
    .map(
      ({ at, path, status, gateway }) => `${status} of ${gateway}${path} at ${((at - beganAt) / 1_000).toFixed(1)} s`,
    )
  return {
    what: 'HTTP 5xx while services drained and came back',
    limit: 'none',
    found: errors.length === 0 ? `none of ${answered} answers` : `${errors.length}: ${first.join(', ')}`,
    held: errors.length === 0 && answered > 0,
  }
}
