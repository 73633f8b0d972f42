import type { Receipt, ReceiptBatch } from '@qunxin/contracts'
import { Unanswered } from '../send/unanswered.ts'

const RECEIPTS_PER_BATCH = 1_000

type Receipts = Map<string, Receipt>

export interface PartitionReceiptsOptions {
  node: string
  /** Has the user no connection on this node but that one? */
  isAlone(user: string, conn: string): boolean
  /** Returns false when nothing can go out now (NATS is away); calls back when the owner has answered, soon or never. */
  publish(payload: string, answered: () => void): boolean
}

/**
 * Receipts of one partition: at most one unanswered batch, and behind it what gathers meanwhile, the furthest of each user
 * and conversation. Of what the owner has confirmed nothing is kept.
 */
export class PartitionReceipts {
  readonly #options: PartitionReceiptsOptions
  readonly #waiting: Receipts = new Map()
  #batch: { receipts: Receipts; unanswered: Unanswered } | undefined

  constructor(options: PartitionReceiptsOptions) {
    this.#options = options
  }

  /** Users and conversations that are not confirmed; one that went on meanwhile counts twice. */
  get size(): number {
    return this.#waiting.size + (this.#batch?.receipts.size ?? 0)
  }

  /** Returns false when it would need room and there is none. */
  add(receipt: Receipt, hasRoom: boolean): boolean {
    const key = `${receipt.user} ${receipt.conversation}`
    const known = this.#waiting.get(key)
    const told = known ?? this.#batch?.receipts.get(key)
    if (told && covers(told, receipt)) return true
    if (!known && !hasRoom) return false
    this.#waiting.set(key, known ? furthest(known, receipt) : receipt)
    return true
  }

  /** Publishes the next batch when none is under way. */
  advance(now: number): void {
    if (this.#batch || this.#waiting.size === 0) return
    const receipts: Receipts = new Map()
    for (const [key, receipt] of this.#waiting) {
      if (receipts.size === RECEIPTS_PER_BATCH) break
      receipts.set(key, receipt)
      this.#waiting.delete(key)
    }
    const batch = { receipts, unanswered: new Unanswered(() => this.#publish(receipts)) }
    this.#batch = batch
    batch.unanswered.publish(now)
  }

  repeat(since: number, now: number): void {
    this.#batch?.unanswered.repeat(since, now)
  }

  /** Who is alone may have changed since it was published last: who has come since wants to be told. */
  #publish(receipts: Receipts): boolean {
    const { node, isAlone, publish } = this.#options
    const batch: ReceiptBatch = {
      node,
      receipts: [...receipts.values()].map((receipt) =>
        receipt.conn !== undefined && isAlone(receipt.user, receipt.conn) ? { ...receipt, alone: true } : receipt,
      ),
    }
    return publish(JSON.stringify(batch), () => {
      if (this.#batch?.receipts === receipts) this.#batch = undefined
    })
  }
}

/** What is read has been received. */
const receivedOf = ({ delivered = 0, read = 0 }: Receipt) => Math.max(delivered, read)

function covers(one: Receipt, other: Receipt): boolean {
  return receivedOf(one) >= receivedOf(other) && (one.read ?? 0) >= (other.read ?? 0)
}

/** The connection that read furthest is the one that need not be told. */
function furthest(one: Receipt, other: Receipt): Receipt {
  const reader = (other.read ?? 0) > (one.read ?? 0) ? other : one
  return { ...reader, delivered: Math.max(receivedOf(one), receivedOf(other)) }
}
