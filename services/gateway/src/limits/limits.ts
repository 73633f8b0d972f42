import type { UserId } from '@qunxin/contracts'

/** Who sent it, and how many more already wait behind it. */
export interface Client {
  readonly framesBehind: number
}

/** How much one user may ask for (protocol §4.6). */
export interface Limits {
  /**
   * Takes one frame or call; `now` in milliseconds. Answers at once while this gateway holds some of the user's limit, or
   * knows that there is nothing left; else when it has asked.
   */
  take(user: UserId, now: number, client?: Client): Taken | Promise<Taken>
}

export type Taken =
  | { ok: true }
  | {
      ok: false
      retryAfterMs: number
      /** For how long, in ms, the user has been over the limit without a pause. */
      floodingSinceMs: number
    }

const PASSED: Taken = { ok: true }

export const unlimited: Limits = { take: () => PASSED }
