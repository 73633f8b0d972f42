import type { UserId } from '@qunxin/contracts'
import { LRUCache } from 'lru-cache'
import type { Limits, Taken } from './limits.ts'

export const DEFAULT_LIMIT = { burst: 200, perSecond: 50 }
/** A user who is pushed out starts with a full bucket again: it takes this many others, each asking, to gain a burst. */
const USERS_REMEMBERED = 100_000

interface Bucket {
  tokens: number
  /** When `tokens` was right, in ms. */
  at: number
  /** Since when the user has been over the limit, in ms; undefined when not. */
  overSince: number | undefined
}

/** A token bucket per user, local to this process. */
export class TokenBuckets implements Limits {
  readonly #burst: number
  readonly #perMs: number
  readonly #buckets = new LRUCache<UserId, Bucket>({ max: USERS_REMEMBERED })

  constructor(limit = DEFAULT_LIMIT) {
    this.#burst = limit.burst
    this.#perMs = limit.perSecond / 1000
  }

  take(user: UserId, now: number): Taken {
    let bucket = this.#buckets.get(user)
    if (!bucket) {
      bucket = { tokens: this.#burst, at: now, overSince: undefined }
      this.#buckets.set(user, bucket)
    }
    bucket.tokens = Math.min(this.#burst, bucket.tokens + Math.max(0, now - bucket.at) * this.#perMs)
    bucket.at = now
    // Who sends at a hundred times the limit still gets the sustained share through; only a pause of a second ends a flood.
    if (bucket.tokens >= this.#perMs * 1000) bucket.overSince = undefined
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1
      return { ok: true }
    }
    bucket.overSince ??= now
    return {
      ok: false,
      retryAfterMs: Math.ceil((1 - bucket.tokens) / this.#perMs),
      floodingSinceMs: now - bucket.overSince,
    }
  }
}
