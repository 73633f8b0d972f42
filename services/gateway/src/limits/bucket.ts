import type { Taken } from './limits.ts'

export interface Limit {
  burst: number
  perSecond: number
}

/** Protocol §4.6, per user. */
export const DEFAULT_LIMIT: Limit = { burst: 200, perSecond: 50 }

/** A token bucket: `burst` at most, filled again at `perSecond`. */
export interface Bucket {
  tokens: number
  /** When `tokens` was right, in ms. */
  at: number
  /** Since when its user has been over the limit, in ms; undefined when not. */
  overSince: number | undefined
}

export const fullBucket = ({ burst }: Limit, now: number): Bucket => ({ tokens: burst, at: now, overSince: undefined })

/** Takes one token, or says when there will be one. A clock that goes back gives nothing away. */
export function takeOne(bucket: Bucket, limit: Limit, now: number): Taken {
  const perMs = limit.perSecond / 1000
  bucket.tokens = Math.min(limit.burst, bucket.tokens + Math.max(0, now - bucket.at) * perMs)
  bucket.at = now
  // Who sends at a hundred times the limit still gets the sustained share through; only a pause of a second ends a flood.
  if (bucket.tokens >= limit.perSecond) bucket.overSince = undefined
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1
    return { ok: true }
  }
  bucket.overSince ??= now
  return {
    ok: false,
    retryAfterMs: Math.ceil((1 - bucket.tokens) / perMs),
    floodingSinceMs: now - bucket.overSince,
  }
}
