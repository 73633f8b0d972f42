import { setTimeout as delay } from 'node:timers/promises'
import type { MsgModel, UserId } from '@qunxin/contracts'
import { type BacklogOptions, type BacklogReceiver, readBacklog } from './backlog.ts'
import { conversationOf, messageFrame } from './message-frame.ts'
import type { Order } from './order.ts'

/** Clocks of two machines may differ, and what was published may be older than the loss. */
const MARGIN_MS = 45_000
/** Several instances find out about the same loss one after the other: they are waited for, so that it is read once. */
const GATHER_MS = 50
const USERS_AT_ONCE = 32
const TRIES = 3

export interface CatchUpReceiver extends BacklogReceiver {
  /** Acknowledges nothing by itself, and has nothing but this to catch up with. */
  readonly seedsOnly: boolean
}

export interface CatchUpOptions extends BacklogOptions {
  /** The bound connections of this node. */
  receivers(): Iterable<CatchUpReceiver>
}

/**
 * When deliveries are gone for good, no hole would ever show it where nothing more is said. So every connection then gets what
 * its user has been sent meanwhile; live frames wait until it has been read.
 */
export class CatchUp {
  readonly #options: CatchUpOptions
  #gathering: { receivers: CatchUpReceiver[]; since: number } | undefined
  #rounds = 0

  constructor(options: CatchUpOptions) {
    this.#options = options
  }

  /** How often everybody was caught up. */
  get rounds(): number {
    return this.#rounds
  }

  /** What was published in the last so many ms may not have come. From here on live frames wait. */
  begin(forMs: number): void {
    const since = Date.now() - forMs - MARGIN_MS
    const begun = this.#gathering
    const round = begun ?? { receivers: [], since }
    round.since = Math.min(round.since, since)
    const gathered = new Set(round.receivers)
    for (const receiver of this.#options.receivers()) {
      if (gathered.has(receiver)) continue
      // Who holds already is reading a backlog, or about to.
      if (receiver.held) receiver.behind = true
      else {
        receiver.held = []
        receiver.behind = false
        round.receivers.push(receiver)
      }
    }
    if (begun) return
    this.#gathering = round
    void delay(GATHER_MS, undefined, { ref: false }).then(() => {
      this.#gathering = undefined
      this.#rounds += 1
      return this.#run(round)
    })
  }

  async #run({ receivers, since }: { receivers: CatchUpReceiver[]; since: number }): Promise<void> {
    const users = Map.groupBy(receivers, ({ userId }) => userId).entries()
    const work = async () => {
      for (const [user, theirs] of users) {
        const messages = await this.#missedBy(user, theirs)
        for (const receiver of theirs)
          if (receiver.open) show(receiver, messages, { order: this.#options.order, since })
      }
    }
    await Promise.all(Array.from({ length: USERS_AT_ONCE }, work))
  }

  async #missedBy(user: UserId, receivers: readonly CatchUpReceiver[]): Promise<MsgModel[]> {
    for (;;) {
      for (const receiver of receivers) receiver.behind = false
      let tries = 0
      const messages = await readBacklog(user, this.#options, () => {
        const open = receivers.filter((receiver) => receiver.open)
        tries += 1
        return open.some(({ seedsOnly }) => seedsOnly) || (open.length > 0 && tries <= TRIES)
      })
      // More was lost while it was read.
      if (!receivers.some(({ open, behind }) => open && behind)) return messages
    }
  }
}

/** Older ones than the loss are news only to who has nothing but this to catch up with. */
function show(
  receiver: CatchUpReceiver,
  messages: readonly MsgModel[],
  options: { order: Order; since: number },
): void {
  const { order, since } = options
  const live = receiver.held ?? []
  const missed = receiver.seedsOnly ? messages : messages.filter((message) => message.serverReceiveDate >= since)
  receiver.held = undefined
  for (const message of missed)
    order.take(receiver, {
      frame: messageFrame(message),
      conversation: conversationOf(message),
      seq: message.seq,
      again: { from: String(message.fromUserId), msgId: message.msgId },
    })
  for (const one of live) order.take(receiver, one)
}
