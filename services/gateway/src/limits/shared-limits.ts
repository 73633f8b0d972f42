import type { UserId } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import { LRUCache } from 'lru-cache'
import { type Bucket, DEFAULT_LIMIT, fullBucket, type Limit, takeOne } from './bucket.ts'
import { type Balance, type Ledger, SEEN_MS } from './ledger.ts'
import type { Limits, Taken } from './limits.ts'
import { TokenBuckets } from './token-bucket.ts'

const USERS_REMEMBERED = 100_000
/** So much is let through before it is charged, as long as there is plenty. */
const CHARGED_TOGETHER = 10
/** Below this the bucket is asked for after each one. */
const LOW = 20
/** So much need not be charged at all: who sends a frame a second costs Redis nothing. 2 % of the limit, per gateway. */
const FREE_PER_MS = 1 / 1000
/** After a failure nobody asks for so long. */
const LEFT_ALONE_MS = 1_000

/** What this gateway knows of a user's bucket. */
interface Share {
  /** What may be taken here before the next answer. */
  bucket: Bucket
  /** The whole limit, or this gateway's part of it when others have charged the user lately. */
  limit: Limit
  answeredAt: number
  /** Taken and not charged yet. */
  owed: number
  owedAt: number
  asking: boolean
}

export interface SharedLimitsOptions {
  ledger: Ledger
  logger: Logger
  limit?: Limit
  /** The clock of `take`, in ms. */
  now?: () => number
}

/**
 * One limit per user over all gateways (docs/adr/0008): what is let through is charged to the user's bucket in Redis
 * afterwards, and its answer says what may be let through next, so that no frame waits. What two gateways let through at once
 * beyond the limit is a debt, and is refused later. While Redis is away each gateway limits by itself; a gateway alone never
 * lets more through than the limit either way.
 */
export class SharedLimits implements Limits {
  readonly #ledger: Ledger
  readonly #logger: Logger
  readonly #limit: Limit
  readonly #now: () => number
  readonly #own: TokenBuckets
  readonly #shares = new LRUCache<UserId, Share>({ max: USERS_REMEMBERED })
  /** Set while Redis is left alone after a failure. */
  #alone: NodeJS.Timeout | undefined
  #away = false
  #stopped = false

  constructor(options: SharedLimitsOptions) {
    this.#ledger = options.ledger
    this.#logger = options.logger
    this.#limit = options.limit ?? DEFAULT_LIMIT
    this.#now = options.now ?? Date.now
    this.#own = new TokenBuckets(this.#limit)
  }

  take(user: UserId, now: number): Taken {
    if (this.#alone) return this.#own.take(user, now)
    const share = this.#shareOf(user, now)
    const shared = takeOne(share.bucket, share.limit, now)
    if (!shared.ok) return shared
    const own = this.#own.take(user, now)
    if (!own.ok) {
      share.bucket.tokens += 1
      return own
    }
    share.owed = Math.max(0, share.owed - Math.max(0, now - share.owedAt) * FREE_PER_MS) + 1
    share.owedAt = now
    this.#chargeIfDue(user, share)
    return own
  }

  /** Charges nothing any more. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#alone)
  }

  #shareOf(user: UserId, now: number): Share {
    let share = this.#shares.get(user)
    if (!share) {
      const bucket = fullBucket(this.#limit, now)
      share = { bucket, limit: this.#limit, answeredAt: now, owed: 0, owedAt: now, asking: false }
      this.#shares.set(user, share)
    }
    if (share.limit !== this.#limit && now - share.answeredAt > SEEN_MS) share.limit = this.#limit
    return share
  }

  /** One question under way per user; what is let through meanwhile goes with the next. */
  #chargeIfDue(user: UserId, share: Share): void {
    const due = share.owed >= CHARGED_TOGETHER || (share.owed > 0 && share.bucket.tokens < LOW)
    if (!due || share.asking || this.#stopped) return
    const charged = share.owed
    share.owed = 0
    share.asking = true
    this.#ledger.charge(user, charged).then(
      (balance) => {
        share.asking = false
        this.#answered(share, balance)
        this.#chargeIfDue(user, share)
      },
      (error: unknown) => this.#failed(error),
    )
  }

  /** The parts of all gateways together are what the bucket holds, so that they stay within it; a last token is for whoever comes. */
  #answered(share: Share, { tokens, gateways }: Balance): void {
    const { burst, perSecond } = this.#limit
    share.limit = gateways === 1 ? this.#limit : { burst: burst / gateways, perSecond: perSecond / gateways }
    share.answeredAt = this.#now()
    share.bucket.tokens = Math.max(tokens / gateways, Math.min(tokens, 1)) - share.owed
    share.bucket.at = share.answeredAt
    if (this.#away) this.#logger.info('limits hold over all gateways again')
    this.#away = false
  }

  #failed(error: unknown): void {
    if (this.#stopped) return
    if (!this.#away) this.#logger.warn({ err: error }, 'Redis does not answer, this gateway limits users by itself')
    this.#away = true
    // What is known and owed is void by the time it is back.
    this.#shares.clear()
    this.#alone ??= setTimeout(() => {
      this.#alone = undefined
    }, LEFT_ALONE_MS).unref()
  }
}
