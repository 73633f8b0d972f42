import type { UserId } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import { LRUCache } from 'lru-cache'
import { DEFAULT_LIMIT, type Limit } from './bucket.ts'
import type { Lease, Ledger } from './ledger.ts'
import type { Client, Limits, Taken } from './limits.ts'
import { TokenBuckets } from './token-bucket.ts'

const USERS_REMEMBERED = 100_000
/** A slice that is not used up in this time is given back with the next question. */
const SLICE_MS = 1_000
/** What a gateway asks for ahead of need; below half of it, it asks again before anybody has to wait. */
const AHEAD = 10
/** So many are let through before the first question, and one a second for ever: who sends little costs Redis nothing. */
const FREE = { most: 3, perMs: 1 / 1000 }
/** After a failure nobody asks for so long. */
const LEFT_ALONE_MS = 1_000

interface Waiter {
  client: Client | undefined
  resolve(taken: Taken): void
}

/** A question under way, and who waits for its answer. */
interface Question {
  user: UserId
  share: Share
  waiting: Waiter[]
}

/** What this gateway holds and knows of a user's bucket. Times in ms. */
interface Share {
  held: number
  heldUntil: number
  /** Granted, not used in time and not given back yet. */
  back: number
  /** Let through without asking. */
  owed: number
  owedAt: number
  waiting: Waiter[]
  asking: boolean
  /** There is nothing left before then. */
  emptyUntil: number
  overSince: number | undefined
}

export interface SharedLimitsOptions {
  ledger: Ledger
  logger: Logger
  limit?: Limit
  /** The clock of `take`, in ms. */
  now?: () => number
}

/**
 * One limit per user over all gateways (docs/adr/0015): each lets through what it has leased of the user's bucket in Redis, a
 * small slice at a time, and asks when that is used up, so that the sum over all is the limit at any moment. While Redis is
 * away each gateway limits by itself; a gateway alone never lets more through than the limit either way.
 */
export class SharedLimits implements Limits {
  readonly #ledger: Ledger
  readonly #logger: Logger
  readonly #limit: Limit
  readonly #now: () => number
  readonly #own: TokenBuckets
  readonly #shares = new LRUCache<UserId, Share>({ max: USERS_REMEMBERED })
  readonly #questions = new Set<Question>()
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

  take(user: UserId, now: number, client?: Client): Taken | Promise<Taken> {
    if (this.#alone) return this.#own.take(user, now)
    const share = this.#shareOf(user, now)
    if (share.held > 0) {
      share.held -= 1
      if (share.held < AHEAD / 2) this.#ask(user, share)
      return this.#own.take(user, now)
    }
    if (now < share.emptyUntil) return refusal(share, now)
    if (!share.asking && share.overSince === undefined && share.owed + 1 <= FREE.most) {
      share.owed += 1
      return this.#own.take(user, now)
    }
    return new Promise((resolve) => {
      share.waiting.push({ client, resolve })
      this.#ask(user, share)
    })
  }

  /** Asks for nothing any more. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#alone)
  }

  #shareOf(user: UserId, now: number): Share {
    let share = this.#shares.get(user)
    if (!share) {
      const empty = { held: 0, heldUntil: 0, back: 0, owed: 0, owedAt: now, emptyUntil: 0 }
      share = { ...empty, waiting: [], asking: false, overSince: undefined }
      this.#shares.set(user, share)
    }
    share.owed = Math.max(0, share.owed - Math.max(0, now - share.owedAt) * FREE.perMs)
    share.owedAt = now
    if (share.held > 0 && now > share.heldUntil) {
      share.back += share.held
      share.held = 0
    }
    return share
  }

  /** One question under way per user; whoever comes in this turn of the event loop is in it. */
  #ask(user: UserId, share: Share): void {
    if (share.asking) return
    share.asking = true
    setImmediate(() => {
      const waiting = share.waiting
      share.waiting = []
      const { owed, back } = share
      share.owed = 0
      share.back = 0
      if (this.#stopped || this.#alone) {
        share.asking = false
        return this.#byOwn(user, waiting)
      }
      const wanted = waiting.reduce((sum, { client }) => sum + 1 + (client?.framesBehind ?? 0), 0)
      const question = { user, share, waiting }
      this.#questions.add(question)
      this.#ledger.lease(user, { wanted: Math.min(wanted, this.#limit.burst), ahead: AHEAD, owed, back }).then(
        (lease) => {
          this.#questions.delete(question)
          this.#leased(user, share, { lease, waiting })
        },
        (error: unknown) => {
          share.asking = false
          this.#failed(error)
          this.#questions.delete(question)
        },
      )
    })
  }

  #leased(user: UserId, share: Share, { lease, waiting }: { lease: Lease; waiting: readonly Waiter[] }): void {
    const now = this.#now()
    const { granted, tokens } = lease
    share.asking = false
    share.held += granted
    share.heldUntil = now + SLICE_MS
    if (tokens < 1) share.emptyUntil = now + Math.ceil((1 - tokens) / (this.#limit.perSecond / 1_000))
    // Only a pause of a second ends a flood.
    if (tokens + granted >= this.#limit.perSecond) share.overSince = undefined
    if (this.#away) this.#logger.info('limits hold over all gateways again')
    this.#away = false
    for (const { resolve } of waiting) {
      if (share.held > 0) {
        share.held -= 1
        resolve(this.#own.take(user, now))
      } else resolve(refusal(share, now))
    }
    if (share.waiting.length > 0) this.#ask(user, share)
  }

  /** Redis cannot be asked: this process's own bucket decides. */
  #byOwn(user: UserId, waiting: readonly Waiter[]): void {
    for (const { resolve } of waiting) resolve(this.#own.take(user, this.#now()))
  }

  /** Nobody waits for what else is under way: each would find out for itself, one timeout after the other. */
  #failed(error: unknown): void {
    for (const { user, share, waiting } of this.#questions)
      this.#byOwn(user, [...waiting.splice(0), ...share.waiting.splice(0)])
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

function refusal(share: Share, now: number): Taken {
  share.overSince ??= now
  return { ok: false, retryAfterMs: Math.max(1, share.emptyUntil - now), floodingSinceMs: now - share.overSince }
}
