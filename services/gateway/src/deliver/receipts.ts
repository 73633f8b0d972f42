import type { Bus } from '@qunxin/bus'
import { type ConversationId, partitionOf, type ReceiptBatch, subjects, type UserId } from '@qunxin/contracts'

type Cursor = ReceiptBatch['receipts'][number]
type Seqs = Map<ConversationId, number>

const RECEIPTS_PER_BATCH = 1_000
/** Receipts that wait for NATS to come back; what is lost is shown again on the user's next connection. */
const MAX_WAITING = 50_000

/** What was written to one connection of a client that acknowledges nothing, until a pong proves that it arrived. */
export interface Outstanding {
  readonly userId: UserId
  /** Since the last ping. */
  written: Seqs
  /** Before the ping numbered `ping`. */
  pinged: Seqs | undefined
  ping: number
  /** Conversations with a hole: a cumulative receipt would claim what never came. */
  skipped: Set<ConversationId> | undefined
}

export function nothingOutstanding(userId: UserId): Outstanding {
  return { userId, written: new Map(), pinged: undefined, ping: 0, skipped: undefined }
}

/** A ping with this number is sent: unless an earlier one is unanswered, its pong will speak for everything written so far. */
export function pinged(outstanding: Outstanding, ping: number): void {
  if (outstanding.written.size === 0 || outstanding.pinged) return
  outstanding.pinged = outstanding.written
  outstanding.written = new Map()
  outstanding.ping = ping
}

export interface ReceiptsOptions {
  bus: Pick<Bus, 'connected' | 'publish'>
  partitions: number
}

/** Tells the partition owners what has reached whom, batched. */
export class Receipts {
  readonly #options: ReceiptsOptions
  readonly #waiting = new Map<string, Cursor>()

  constructor(options: ReceiptsOptions) {
    this.#options = options
  }

  /** The pong of the ping with this number came, or of a later one. */
  ponged(outstanding: Outstanding, ping: number): void {
    const { pinged, userId, skipped } = outstanding
    if (!pinged || ping < outstanding.ping) return
    outstanding.pinged = undefined
    for (const [conversation, delivered] of pinged) {
      if (skipped?.has(conversation) || this.#waiting.size >= MAX_WAITING) continue
      this.#add({ user: userId, conversation, delivered })
    }
  }

  /** Publishes what has gathered. */
  flush(): void {
    const { bus, partitions } = this.#options
    if (this.#waiting.size === 0 || !bus.connected) return
    const byPartition = Map.groupBy(this.#waiting.values(), ({ conversation }) => partitionOf(conversation, partitions))
    this.#waiting.clear()
    for (const [partition, receipts] of byPartition) {
      for (let at = 0; at < receipts.length; at += RECEIPTS_PER_BATCH) {
        const batch: ReceiptBatch = { receipts: receipts.slice(at, at + RECEIPTS_PER_BATCH) }
        bus.publish(subjects.partitionReceipt(partition), JSON.stringify(batch))
      }
    }
  }

  #add(cursor: Cursor): void {
    const key = `${cursor.user} ${cursor.conversation}`
    const known = this.#waiting.get(key)
    if (!known || (known.delivered ?? 0) < (cursor.delivered ?? 0)) this.#waiting.set(key, cursor)
  }
}
