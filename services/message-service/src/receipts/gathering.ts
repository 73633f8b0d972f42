import type { ConversationId, Receipt, UserId } from '@qunxin/contracts'
import { AppError, type Logger } from '@qunxin/runtime'
import { Batch, join, listen, type Waiting, waitingOf } from './waiting.ts'

const FLUSH_EVERY_MS = 200
/** Above it a batch is not taken, and comes again. */
const MOST_WAITING = 100_000

/** What became of those that were not simply stored. */
export interface Flushed {
  /** Cannot be decided yet: they wait on. */
  again: readonly Waiting[]
  /** Stored, but it is for another owner to tell of it: whoever sent them asks there. */
  lost: readonly Waiting[]
  /** Resolves when whoever is to know of the rest has been told. */
  told: Promise<void>
}

export interface GatheringOptions {
  /** Stores what has gathered and tells of it; when it throws, all of it waits on. One at a time. */
  flush(waiting: readonly Waiting[]): Promise<Flushed>
  logger: Logger
}

/** Collects receipts, the furthest of each user and conversation, and hands them on together. */
export class Gathering {
  readonly #options: GatheringOptions
  #waiting = new Map<string, Waiting>()
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> = Promise.resolve()
  /** The flush that comes behind the one under way; until it begins, what comes goes with it. */
  #next: Promise<void> | undefined
  /** Resolves when everything stored so far has been told. */
  #told: Promise<unknown> = Promise.resolve()

  constructor(options: GatheringOptions) {
    this.#options = options
  }

  /**
   * Resolves when all of them are stored.
   *
   * @throws AppError UNAVAILABLE when there is no room for them
   */
  async take(receipts: readonly Receipt[], node: string | undefined): Promise<void> {
    if (receipts.length === 0) return
    if (this.#waiting.size + receipts.length > MOST_WAITING) throw new AppError('UNAVAILABLE')
    const batch = new Batch(receipts.length)
    for (const receipt of receipts) this.#add(waitingOf(receipt, node), [batch])
    await batch.done
  }

  /** Hands on what is waiting; resolves when it and what was under way are stored or wait on. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#next ??= this.#flushing.then(() => {
      this.#next = undefined
      const waiting = [...this.#waiting.values()]
      this.#waiting = new Map()
      return this.#flush(waiting)
    })
    this.#flushing = this.#next
    return this.#next
  }

  #add(one: Omit<Waiting, 'batches'>, batches: readonly Batch[]): void {
    const key = keyOf(one)
    let waiting = this.#waiting.get(key)
    if (waiting) join(waiting, one)
    else {
      waiting = { ...one, batches: [] }
      this.#waiting.set(key, waiting)
    }
    listen(waiting, batches)
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_EVERY_MS).unref()
  }

  async #flush(waiting: readonly Waiting[]): Promise<void> {
    if (waiting.length === 0) return
    const { flush, logger } = this.#options
    try {
      const { again, lost, told } = await flush(waiting)
      const open = new Set([...again, ...lost])
      // Nobody waits for the telling but who is answered behind it, and behind what was told before.
      this.#told = Promise.allSettled([this.#told, told])
      void this.#told.then(() => {
        for (const one of waiting) if (!open.has(one)) for (const batch of one.batches) batch.oneStored()
      })
      for (const one of lost) for (const batch of one.batches) batch.fail()
      for (const one of again) this.#add(one, one.batches)
    } catch (error) {
      logger.warn({ reason: String(error) }, 'cursors could not be written, trying again')
      for (const one of waiting) this.#add(one, one.batches)
    }
  }
}

export function keyOf({ user, conversation }: { user: UserId; conversation: ConversationId }): string {
  return `${user}/${conversation}`
}
