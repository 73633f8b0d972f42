import type { UserId } from '@qunxin/contracts'

/** How much one user may ask for (protocol §4.6). */
export interface Limits {
  /**
   * Takes one frame or call; `now` in milliseconds, `behind` how many of the same client already wait behind it. Answers at once
   * while this gateway holds some of the user's limit, or knows that there is nothing left; else when it has asked.
   */
  take(user: UserId, now: number, behind?: () => number): Taken | Promise<Taken>
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
