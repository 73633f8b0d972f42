import type { Bus } from '@qunxin/bus'
import { behind, type MsgModel, type UserId } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import { Pace } from '../pace.ts'

/** As many as one question takes. */
const USERS_PER_QUESTION = 500
/** Until then; each reads alone when it is late, which takes far longer when many do. */
const ASK_TIMEOUT_MS = 5_000
const ASK_EVERY_MS = 50
/** After a failed question nobody waits for the next one for so long. */
const RETRY_AFTER_MS = 5_000

/** What a user has missed; undefined when that is to be read alone, as it is not known, or much. */
export type Missed = MsgModel[] | undefined

/**
 * What users have missed, asked in natural batches (one question under way, the next gathers): most who come back have missed little
 * or nothing, and to read that of each alone is most of what a binding costs.
 */
export class WhoIsBehind {
  readonly #bus: Pick<Bus, 'request'>
  readonly #logger: Logger
  #waiting = new Map<UserId, ((missed: Missed) => void)[]>()
  readonly #pace = new Pace(ASK_EVERY_MS)
  #asking = false
  #awayUntil = 0

  constructor(options: { bus: Pick<Bus, 'request'>; logger: Logger }) {
    this.#bus = options.bus
    this.#logger = options.logger
  }

  /** What is sent from the call on is not looked at for sure. */
  of(user: UserId): Missed | Promise<Missed> {
    if (performance.now() < this.#awayUntil) return undefined
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(user)
      if (waiting) waiting.push(resolve)
      else this.#waiting.set(user, [resolve])
      void this.#ask()
    })
  }

  async #ask(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    while (this.#waiting.size > 0) {
      await this.#pace.next()
      const asked = [...this.#waiting].slice(0, USERS_PER_QUESTION)
      for (const [user] of asked) this.#waiting.delete(user)
      const found = await this.#fetch(asked.map(([user]) => user))
      for (const [user, waiting] of asked) for (const resolve of waiting) resolve(found?.(user))
    }
    this.#asking = false
  }

  async #fetch(userIds: UserId[]): Promise<((user: UserId) => Missed) | undefined> {
    try {
      const input = { userIds, messages: true as const }
      const answer = await this.#bus.request(behind, input, { timeoutMs: ASK_TIMEOUT_MS })
      const alone = new Set(answer.behind)
      const backlogs = new Map(answer.backlogs)
      return (user) => (alone.has(user) ? undefined : (backlogs.get(user) ?? []))
    } catch (error) {
      this.#awayUntil = performance.now() + RETRY_AFTER_MS
      this.#logger.warn({ err: error, users: userIds.length }, 'cannot ask who is behind, each backlog is read for now')
      return undefined
    }
  }
}
