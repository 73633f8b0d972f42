import { type ConversationId, groupOf, pairOf, type UserId } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import type { Cursors } from '../store/cursors.ts'
import type { MessageLog } from '../store/message-log.ts'

const FLUSH_EVERY_MS = 200
/** Above it, what comes is dropped: a receipt that is lost makes a message come again, no more. */
const MOST_WAITING = 100_000

interface Receipt {
  user: UserId
  conversation: ConversationId
  delivered: number
}

export interface ReceiptsOptions {
  log: Pick<MessageLog, 'heads'>
  cursors: Cursors
  /** The newest seq of a conversation, where it is in memory. */
  newestSeq(conversation: ConversationId): number | undefined
  logger: Logger
}

/** Collects what reached whom and writes the furthest of each together. Cursors only move forward, and never past the log. */
export class Receipts {
  readonly #options: ReceiptsOptions
  #waiting = new Map<string, Receipt>()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  /** The write that comes behind the one under way; until it begins, what comes goes with it. */
  #next: Promise<void> | undefined

  constructor(options: ReceiptsOptions) {
    this.#options = options
  }

  take(receipts: readonly (Pick<Receipt, 'user' | 'conversation'> & { delivered?: number | undefined })[]): void {
    for (const receipt of receipts) {
      const { user, conversation, delivered = 0 } = receipt
      if (delivered < 1 || (groupOf(conversation) === undefined && !pairOf(conversation)?.includes(user))) continue
      const key = `${user}/${conversation}`
      const before = this.#waiting.get(key)
      if (before) before.delivered = Math.max(before.delivered, delivered)
      else if (this.#waiting.size < MOST_WAITING) this.#waiting.set(key, { user, conversation, delivered })
    }
    if (this.#waiting.size > 0) this.#timer ??= setTimeout(() => this.flush(), FLUSH_EVERY_MS).unref()
  }

  /** Writes what is waiting; resolves when it and what was under way are written or given back. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#next ??= this.#writing.then(() => {
      this.#next = undefined
      const receipts = [...this.#waiting.values()]
      this.#waiting = new Map()
      return this.#write(receipts)
    })
    this.#writing = this.#next
    return this.#next
  }

  async #write(receipts: readonly Receipt[]): Promise<void> {
    const { cursors, logger } = this.#options
    try {
      const newest = await this.#newest(receipts)
      const moves = receipts.flatMap(({ user, conversation, delivered }) => {
        const deliveredSeq = Math.min(delivered, newest.get(conversation) ?? 0)
        return deliveredSeq > 0 ? [{ user, conversation, deliveredSeq }] : []
      })
      await cursors.advance(moves)
    } catch (error) {
      logger.warn({ reason: String(error) }, 'cursors could not be written, trying again')
      this.take(receipts)
    }
  }

  async #newest(receipts: readonly Receipt[]): Promise<Map<ConversationId, number>> {
    const { log, newestSeq } = this.#options
    const newest = new Map<ConversationId, number>()
    const unknown = new Set<ConversationId>()
    for (const { conversation, delivered } of receipts) {
      const known = newestSeq(conversation)
      // What is in memory may lag behind another owner's log: only the log itself lowers a receipt.
      if (known !== undefined && known >= delivered) newest.set(conversation, known)
      else unknown.add(conversation)
    }
    for (const { conversation, seq } of await log.heads([...unknown])) newest.set(conversation, seq)
    return newest
  }
}
