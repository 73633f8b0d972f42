import { setTimeout as delay } from 'node:timers/promises'
import type { Bus } from '@qunxin/bus'
import { backlog, type MsgModel, type UserId } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'

const RETRY_MS = 1_000
/** Asked for at once: thousands may wait for a group-service that is away, and are to get theirs soon when it is back. */
const AT_ONCE = 16

export interface GroupBacklog {
  userId: UserId
  /** Does anybody still wait for it? */
  wanted(): boolean
  show(messages: MsgModel[]): void
}

/** The groups' part of backlogs that went without, asked for in the order in which it was missing until it is there. */
export class GroupBacklogs {
  readonly #options: { bus: Pick<Bus, 'request'>; logger: Logger }
  readonly #waiting = new Set<GroupBacklog>()
  #asking = 0

  constructor(options: { bus: Pick<Bus, 'request'>; logger: Logger }) {
    this.#options = options
  }

  add(one: GroupBacklog): void {
    this.#waiting.add(one)
    this.#goOn()
  }

  #goOn(): void {
    for (const one of this.#waiting) {
      if (this.#asking >= AT_ONCE) return
      this.#waiting.delete(one)
      if (!one.wanted()) continue
      this.#asking += 1
      void this.#ask(one).then(() => {
        this.#asking -= 1
        this.#goOn()
      })
    }
  }

  async #ask(one: GroupBacklog): Promise<void> {
    const { bus, logger } = this.#options
    const { userId } = one
    try {
      const { messages } = await bus.request(backlog, { userId, groups: 'only' })
      // A message-service of before answers with everything.
      if (one.wanted()) one.show(messages.filter(({ sessionId }) => sessionId !== ''))
    } catch (error) {
      logger.warn({ err: error, userId, waiting: this.#waiting.size }, 'what was missed in groups cannot be read yet')
      for (const other of this.#waiting) if (!other.wanted()) this.#waiting.delete(other)
      // Its turn is kept meanwhile, so that no more than those few ask for nothing.
      await delay(RETRY_MS, undefined, { ref: false })
      this.#waiting.add(one)
    }
  }
}
