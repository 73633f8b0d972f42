import type { Bus } from '@qunxin/bus'
import { type ConversationId, groupOf, partitionOf, type Receipt, subjects, type UserId } from '@qunxin/contracts'
import { every, withinTime } from '@qunxin/runtime'
import { REPEAT_AFTER_MS } from '../send/unanswered.ts'
import { type Outstanding, ponged } from './outstanding.ts'
import { PartitionReceipts } from './partition-receipts.ts'

/** What comes in this time goes out together, and no receipt waits longer for its first publication. */
const GATHER_MS = 100
/** How often is seen whether something has to go out again, or behind what has been confirmed. */
const LOOK_EVERY_MS = 250
/** An answer that takes longer than until the next repeat counts all the same. */
const ANSWER_MS = 2_000
/** Unconfirmed ones of all partitions, while an owner is away. */
const MOST = 50_000

export interface ReceiptsOptions {
  bus: Pick<Bus, 'writable' | 'gather' | 'onReconnect'>
  node: string
  partitions: number
  /** Calls back whenever a message-service instance appears or disappears: partitions may have another owner. */
  onInstancesChanged(callback: () => void): void
  /** Has the user no connection on this node but that one? */
  isAlone(user: UserId, conn: string): boolean
}

/** Those of one partition: an owner who cannot ask for the members of a group stores what is personal all the same. */
interface ByKind {
  personal: PartitionReceipts
  groups: PartitionReceipts
}

/** Tells the partition owners what has reached whom and who has read, again and again until they have stored it. */
export class Receipts {
  readonly #options: ReceiptsOptions
  readonly #partitions: ByKind[]
  /** Those with something unconfirmed. */
  readonly #busy = new Set<PartitionReceipts>()
  readonly #looking: { stop(): void }
  /** Set while something has come that has not gone out. */
  #gathering: NodeJS.Timeout | undefined
  #idle: (() => void)[] = []

  constructor(options: ReceiptsOptions) {
    this.#options = options
    const { bus, node, partitions, isAlone } = options
    this.#partitions = Array.from({ length: partitions }, (_, partition) => {
      const subject = subjects.partitionReceipt(partition)
      const publish = (payload: string, answered: () => void) => {
        // Published while disconnected it would be dropped without a word, and to a server that takes nothing it would heap up.
        if (!bus.writable) return false
        const enough = (replies: readonly unknown[]) => replies.length > 0
        void bus.gather(subject, payload, { enough, timeoutMs: ANSWER_MS }).then((replies) => {
          if (enough(replies)) answered()
        })
        return true
      }
      const make = () => new PartitionReceipts({ node, isAlone, publish })
      return { personal: make(), groups: make() }
    })
    const repeatAll = () => this.#advance(Number.POSITIVE_INFINITY)
    options.onInstancesChanged(repeatAll)
    bus.onReconnect(repeatAll)
    this.#looking = every(LOOK_EVERY_MS, () => this.#look())
  }

  /** Users and conversations whose owner has not confirmed how far they are. */
  get pending(): number {
    let pending = 0
    for (const partition of this.#busy) pending += partition.size
    return pending
  }

  /** Everything up to `seq` has reached the user. Returns whether there was room to remember it. */
  received(user: UserId, conversation: ConversationId, seq: number): boolean {
    return this.#add({ user, conversation, delivered: seq })
  }

  /** The user has read up to `seq`, on that connection. Returns whether there was room to remember it. */
  read(user: UserId, conversation: ConversationId, { seq, conn }: { seq: number; conn: string }): boolean {
    return this.#add({ user, conversation, read: seq, conn })
  }

  /** The pong of the ping with this number came. What has no room is shown again on the user's next connection. */
  ponged(outstanding: Outstanding, ping: number): void {
    for (const [conversation, seq] of ponged(outstanding, ping)) this.received(outstanding.userId, conversation, seq)
  }

  /** Resolves when everything is confirmed, `limitMs` at the most. */
  async confirmed(limitMs: number): Promise<void> {
    this.#look()
    if (this.#busy.size === 0) return
    await withinTime(limitMs, new Promise<void>((resolve) => this.#idle.push(resolve))).catch(() => {})
  }

  stop(): void {
    this.#looking.stop()
    clearTimeout(this.#gathering)
  }

  #add(receipt: Receipt): boolean {
    const { conversation } = receipt
    const { personal, groups } = this.#partitions[partitionOf(conversation, this.#options.partitions)] as ByKind
    const partition = groupOf(conversation) === undefined ? personal : groups
    const added = partition.add(receipt, this.pending < MOST)
    if (partition.size > 0) {
      this.#busy.add(partition)
      this.#gathering ??= setTimeout(() => this.#look(), GATHER_MS).unref()
    }
    return added
  }

  #look(): void {
    clearTimeout(this.#gathering)
    this.#gathering = undefined
    this.#advance(Date.now() - REPEAT_AFTER_MS)
  }

  /** Publishes what gathered, and again what went out before `since`. */
  #advance(since: number): void {
    const now = Date.now()
    for (const partition of this.#busy) {
      if (partition.size === 0) this.#busy.delete(partition)
      partition.repeat(since, now)
      partition.advance(now)
    }
    if (this.#busy.size > 0 || this.#idle.length === 0) return
    const waiting = this.#idle
    this.#idle = []
    for (const resolve of waiting) resolve()
  }
}
