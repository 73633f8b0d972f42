import type { UserId } from '@qunxin/contracts'

/** How much one user may ask for (protocol §4.6). `take` answers at once, also where gateways share a limit: no frame waits. */
export interface Limits {
  /** Takes one frame or call; `now` in milliseconds. */
  take(user: UserId, now: number): Taken
}

export type Taken =
  | { ok: true }
  | {
      ok: false
      retryAfterMs: number
      /** For how long, in ms, the user has been over the limit without a pause. */
      floodingSinceMs: number
    }

export const unlimited: Limits = { take: () => ({ ok: true }) }
