import type { Bus } from '@qunxin/bus'
import { type ConversationId, type MsgModel, range } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import type { Hole } from './hole.ts'
import { messageFrame } from './message-frame.ts'
import type { Order } from './order.ts'

/** The longest later messages wait for an earlier one. */
const HOLD_MS = 1_000
/** A hole behind which a send of the connection's own is on its way is mostly that send: its answer gets this long. */
const ANSWER_GRACE_MS = 100
const LOOK_EVERY_MS = 50
/** A larger hole is not fetched: who misses that much catches up by sync, or by the backlog of the next connection. */
const MAX_RANGE = 500

export interface RepairOptions {
  bus: Pick<Bus, 'request'>
  logger: Logger
  /** Does this connection wait for the answer of a send into that conversation? */
  waitsIn(conn: string, conversation: ConversationId): boolean
}

/** Fetches what is missing, once for all connections of this node that miss it. */
export class Repair {
  readonly #options: RepairOptions
  readonly #fetches = new Map<string, Hole[]>()
  readonly #watched = new Set<Hole>()
  #looking: NodeJS.Timeout | undefined

  constructor(options: RepairOptions) {
    this.#options = options
  }

  /** Sees that a hole is filled by the range, or given up after a second. */
  watch(hole: Hole, order: Order) {
    if (!this.#options.waitsIn(hole.receiver.id, hole.conversation)) return this.#fetch(hole, order)
    this.#watched.add(hole)
    this.#looking ??= setInterval(() => this.#look(order), LOOK_EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#looking)
  }

  #look(order: Order): void {
    const limit = performance.now() - ANSWER_GRACE_MS
    for (const hole of this.#watched) {
      if (hole.open && hole.since > limit) continue
      this.#watched.delete(hole)
      if (hole.open) this.#fetch(hole, order)
    }
    if (this.#watched.size > 0) return
    clearInterval(this.#looking)
    this.#looking = undefined
  }

  #fetch(hole: Hole, order: Order) {
    const { conversation } = hole
    const { from, to } = hole.missing(hole.receiver.positions?.get(conversation) ?? 0)
    const left = HOLD_MS - (performance.now() - hole.since)
    if (left <= 0 || to - from >= MAX_RANGE) return order.giveUp(hole)
    const key = `${conversation}:${from}-${to}`
    const sharing = this.#fetches.get(key)
    if (sharing) return void sharing.push(hole)
    const holes = [hole]
    this.#fetches.set(key, holes)
    void this.#load({ conversation, fromSeq: from, toSeq: to }, left).then((messages) => {
      this.#fetches.delete(key)
      this.#fill(holes, messages, order)
    })
  }

  async #load(missing: { conversation: string; fromSeq: number; toSeq: number }, timeoutMs: number) {
    try {
      return (await this.#options.bus.request(range, missing, { timeoutMs })).messages
    } catch (error) {
      this.#options.logger.warn({ err: error, ...missing }, 'a hole could not be filled')
      return []
    }
  }

  #fill(holes: readonly Hole[], messages: readonly MsgModel[], order: Order): void {
    const found = messages.map((message) => ({
      seq: message.seq,
      frame: messageFrame(message),
      again: { from: String(message.fromUserId), msgId: message.msgId },
    }))
    for (const hole of holes) {
      if (!hole.open || order.fill(hole, found)) continue
      if (found.length > 0) this.#fetch(hole, order)
      else order.giveUp(hole)
    }
  }
}
