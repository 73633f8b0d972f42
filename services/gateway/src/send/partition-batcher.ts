import { BATCH_LIMITS, type ErrorCode, encodeBatch } from '@qunxin/contracts'
import { type Ending, inOneRow, type PendingSend } from './pending-send.ts'
import { Unanswered } from './unanswered.ts'

interface Batch {
  unanswered: Unanswered
  sends: PendingSend[]
  /** How many of them have no answer. */
  open: number
}

export interface BatcherOptions {
  node: string
  /** Returns false when nothing can go out now (NATS is away). */
  publish(payload: Uint8Array): boolean
}

/**
 * The sends of one partition: at most one unanswered batch, which is published again until every send in it is answered or
 * ended, with those that are not, and behind it what gathers meanwhile. The order of arrival is never changed.
 */
export class PartitionBatcher {
  readonly #node: string
  readonly #publish: (payload: Uint8Array) => boolean
  #queue: PendingSend[] = []
  #batch: Batch | undefined
  #number = 0

  constructor(options: BatcherOptions) {
    this.#node = options.node
    this.#publish = options.publish
  }

  add(pending: PendingSend): void {
    this.#queue.push(pending)
  }

  /** To be called for each send of this partition that was answered, after `open` was cleared. */
  answered(): void {
    if (this.#batch && --this.#batch.open === 0) this.#batch = undefined
  }

  /** Publishes the next batch when none is under way. */
  advance(now: number): void {
    if (this.#batch || this.#queue.length === 0) return
    const sends = this.#take()
    this.#number += 1
    const batch = this.#number
    // What was refused once is not sent again: another owner could store it, when the reason is gone.
    const open = () => sends.flatMap((send) => (send.open ? [send.entry] : []))
    const unanswered = new Unanswered(() => this.#publish(encodeBatch({ node: this.#node, batch, sends: open() })))
    this.#batch = { unanswered, sends, open: sends.length }
    unanswered.publish(now)
  }

  /** Publishes the unanswered batch again when it went out before `since`, or never did. */
  repeat(since: number, now: number): void {
    this.#batch?.unanswered.repeat(since, now)
  }

  /**
   * Ends what has expired, and with each the later sends of its row: published ones lose their answer, waiting ones are never
   * published. So a resend of the first cannot come behind one of the later ones.
   */
  expire(now: number): Ending[] {
    const oldest = this.#batch?.sends[0] ?? this.#queue[0]
    if (oldest === undefined || oldest.expiresAt > now) return []
    const rows = new Set<string>()
    return this.#end((pending) => {
      const row = `${pending.entry.conn} ${pending.entry.conversation}`
      if (pending.expiresAt > now && !rows.has(row)) return false
      if (pending.entry.conn !== '') rows.add(row)
      return true
    }, 'TIMEOUT')
  }

  /** Ends the later sends of the row of one that was refused for now. */
  endBehind(refused: PendingSend, code: ErrorCode): Ending[] {
    return this.#end(({ entry }) => entry.id > refused.entry.id && inOneRow(entry, refused.entry), code)
  }

  find(fits: (pending: PendingSend) => boolean): PendingSend | undefined {
    return this.#batch?.sends.find((pending) => pending.open && fits(pending)) ?? this.#queue.find(fits)
  }

  #end(doomed: (pending: PendingSend) => boolean, code: ErrorCode): Ending[] {
    const endings: Ending[] = []
    const ends = (pending: PendingSend) => {
      if (!pending.open || !doomed(pending)) return false
      pending.open = false
      endings.push({ pending, code })
      return true
    }
    // The batch first: it holds the older ones.
    for (const pending of this.#batch?.sends ?? []) if (ends(pending)) this.answered()
    if (this.#queue.length > 0) this.#queue = this.#queue.filter((pending) => !ends(pending))
    return endings
  }

  #take(): PendingSend[] {
    let bytes = 0
    let count = 0
    for (const pending of this.#queue) {
      bytes += pending.bytes
      if (count > 0 && (count === BATCH_LIMITS.entries || bytes > BATCH_LIMITS.bytes)) break
      count += 1
    }
    return this.#queue.splice(0, count)
  }
}
