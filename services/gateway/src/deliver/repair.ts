import { setTimeout as delay } from 'node:timers/promises'
import type { Bus } from '@qunxin/bus'
import { type ConversationId, type InputOf, type OutputOf, range, shownTo } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import type { Hole } from './hole.ts'
import { messageFrame } from './message-frame.ts'
import type { Order } from './order.ts'

/** How long the log may take to answer. */
const ASK_MS = 1_000
/** The longest later messages wait for earlier ones while the log cannot be asked, as after a crash of message-service. */
const HOLD_MS = 10_000
const ASK_AGAIN_MS = 200
/** A hole behind which a send of the connection's own is on its way is mostly that send: its answer gets this long. */
const ANSWER_GRACE_MS = 100
const LOOK_EVERY_MS = 50
/** Fetched at once; a larger hole is filled piece by piece. */
const MAX_RANGE = 500

type Loaded = OutputOf<typeof range>

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

  /** Sees that a hole is filled by the range, or given up: at once when the log does not have it. */
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
    if (performance.now() - hole.since >= HOLD_MS) return order.giveUp(hole)
    const { from, to } = hole.missing(hole.receiver.positions?.get(conversation) ?? 0)
    const missing = { conversation, fromSeq: from, toSeq: Math.min(to, from + MAX_RANGE - 1) }
    const key = `${conversation}:${from}-${to}`
    const sharing = this.#fetches.get(key)
    if (sharing) return void sharing.push(hole)
    const holes = [hole]
    this.#fetches.set(key, holes)
    void this.#load(missing).then((loaded) => {
      this.#fetches.delete(key)
      if (loaded) this.#fill(holes, loaded, order)
      else for (const one of holes) if (one.open) this.#fetch(one, order)
    })
  }

  /** Undefined when the log could not be asked. */
  async #load(missing: InputOf<typeof range>): Promise<Loaded | undefined> {
    try {
      return await this.#options.bus.request(range, missing, { timeoutMs: ASK_MS })
    } catch (error) {
      this.#options.logger.warn({ err: error, ...missing }, 'a hole could not be filled yet')
      await delay(ASK_AGAIN_MS)
      return undefined
    }
  }

  #fill(holes: readonly Hole[], { messages, late = [] }: Loaded, order: Order): void {
    const found = messages.map((message) => ({
      message,
      seq: message.seq,
      frame: messageFrame(message),
      again: { from: String(message.fromUserId), msgId: message.msgId },
    }))
    const unread = new Map(late)
    for (const hole of holes) {
      const { userId } = hole.receiver
      const upTo = unread.get(userId)
      const own = (one: (typeof found)[number]) => {
        if (upTo === undefined || one.again.from === userId) return one
        const without = shownTo(one.message, (seq) => seq > upTo)
        return without === one.message ? one : { ...one, frame: messageFrame(without) }
      }
      const shown = upTo === undefined ? found : found.map(own)
      if (!hole.open || order.fill(hole, shown)) continue
      if (found.length > 0) this.#fetch(hole, order)
      else order.giveUp(hole)
    }
  }
}
