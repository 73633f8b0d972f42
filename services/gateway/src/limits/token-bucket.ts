import type { UserId } from '@qunxin/contracts'
import { LRUCache } from 'lru-cache'
import { type Bucket, DEFAULT_LIMIT, fullBucket, type Limit, takeOne } from './bucket.ts'
import type { Limits, Taken } from './limits.ts'

/** A user who is pushed out starts with a full bucket again: it takes this many others, each asking, to gain a burst. */
const USERS_REMEMBERED = 100_000

/** A token bucket per user, local to this process. */
export class TokenBuckets implements Limits {
  readonly #limit: Limit
  readonly #buckets = new LRUCache<UserId, Bucket>({ max: USERS_REMEMBERED })

  constructor(limit = DEFAULT_LIMIT) {
    this.#limit = limit
  }

  take(user: UserId, now: number): Taken {
    let bucket = this.#buckets.get(user)
    if (!bucket) {
      bucket = fullBucket(this.#limit, now)
      this.#buckets.set(user, bucket)
    }
    return takeOne(bucket, this.#limit, now)
  }
}
