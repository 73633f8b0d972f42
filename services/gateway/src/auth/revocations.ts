import type { Bus } from '@qunxin/bus'
import { notBeforeOf, type UserId } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import { LRUCache } from 'lru-cache'
import { Pace } from '../pace.ts'
import type { NotBefore } from './authenticator.ts'

const KNOWN_FOR_MS = 60_000
const USERS_REMEMBERED = 100_000
/** As many as user.notBeforeOf takes. */
const USERS_PER_REQUEST = 500
const ASK_TIMEOUT_MS = 1_000
const ASK_EVERY_MS = 20
/** After a failed request nobody waits for the next one for so long. */
const RETRY_AFTER_MS = 2_000

/**
 * Since when each user's tokens count, as group-service knows it: asked in natural batches (one request under way, the next
 * gathers) and kept for 60 s unless a `revoke` order says otherwise.
 *
 * When group-service is away, what was last known, or "never revoked", lets the token pass: a restart of group-service must
 * not sign everybody out. Those who passed so are asked for again until there is an answer, and `onRevoked` tells of the
 * revoked among them, so that their sockets are closed late rather than never.
 */
export class Revocations implements NotBefore {
  readonly #bus: Pick<Bus, 'request'>
  readonly #logger: Logger
  readonly #onRevoked: (user: UserId, notBefore: number) => void
  readonly #known = new LRUCache<UserId, { notBefore: number; until: number }>({ max: USERS_REMEMBERED })
  readonly #unanswered = new Map<UserId, ((notBefore: number) => void)[]>()
  readonly #passed = new Set<UserId>()
  readonly #pace = new Pace(ASK_EVERY_MS)
  #asking = false
  #awayUntil = 0
  #retry: NodeJS.Timeout | undefined

  constructor(options: {
    bus: Pick<Bus, 'request'>
    logger: Logger
    onRevoked?: (user: UserId, notBefore: number) => void
  }) {
    this.#bus = options.bus
    this.#logger = options.logger
    this.#onRevoked = options.onRevoked ?? (() => {})
  }

  /** Milliseconds; 0 when never revoked. At once when it is known, else within a second. */
  of(user: UserId): number | Promise<number> {
    const now = Date.now()
    const known = this.#known.get(user)
    if (known && known.until > now) return known.notBefore
    if (now < this.#awayUntil) return this.#passUnanswered(user)
    return new Promise((resolve) => {
      const waiting = this.#unanswered.get(user)
      if (waiting) waiting.push(resolve)
      else this.#unanswered.set(user, [resolve])
      void this.#ask()
    })
  }

  /** A `revoke` order came. It never moves back: orders and answers may cross. */
  set(user: UserId, notBefore: number): void {
    this.#known.set(user, { notBefore: Math.max(this.#lastKnown(user), notBefore), until: Date.now() + KNOWN_FOR_MS })
  }

  /** Orders may have been missed while NATS was away: everybody is asked for again, and until then what was known counts. */
  forget(): void {
    for (const entry of this.#known.values()) entry.until = 0
  }

  stop(): void {
    clearTimeout(this.#retry)
  }

  async #ask(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    while (this.#unanswered.size > 0) {
      await this.#pace.next()
      const users = [...this.#unanswered.keys()].slice(0, USERS_PER_REQUEST)
      const waiting = users.map((user) => this.#unanswered.get(user) ?? [])
      for (const user of users) this.#unanswered.delete(user)
      const answers = await this.#fetch(users)
      users.forEach((user, index) => {
        const notBefore = this.#learn(user, answers?.[index])
        for (const resolve of waiting[index] ?? []) resolve(notBefore)
      })
    }
    this.#asking = false
  }

  async #fetch(userIds: UserId[]): Promise<number[] | undefined> {
    try {
      return (await this.#bus.request(notBeforeOf, { userIds }, { timeoutMs: ASK_TIMEOUT_MS })).notBefore
    } catch (error) {
      this.#awayUntil = Date.now() + RETRY_AFTER_MS
      this.#retry ??= setTimeout(() => this.#askForPassed(), RETRY_AFTER_MS + 1).unref()
      this.#logger.warn({ err: error, users: userIds.length }, 'cannot ask who is revoked, their tokens pass for now')
      return undefined
    }
  }

  #learn(user: UserId, answer: number | undefined): number {
    if (answer === undefined) return this.#passUnanswered(user)
    const before = this.#lastKnown(user)
    this.set(user, answer)
    const notBefore = this.#lastKnown(user)
    if (this.#passed.delete(user) && notBefore > before) this.#onRevoked(user, notBefore)
    return notBefore
  }

  #passUnanswered(user: UserId): number {
    if (this.#passed.size < USERS_REMEMBERED) this.#passed.add(user)
    return this.#lastKnown(user)
  }

  #lastKnown(user: UserId): number {
    return this.#known.peek(user)?.notBefore ?? 0
  }

  #askForPassed(): void {
    this.#retry = undefined
    for (const user of this.#passed) if (!this.#unanswered.has(user)) this.#unanswered.set(user, [])
    void this.#ask()
  }
}
