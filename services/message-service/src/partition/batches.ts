import type { SendBatch } from '@qunxin/contracts'
import { LRUCache } from 'lru-cache'
import type { BatchRun } from './pending.ts'

const REMEMBERED = 20_000

/** Which batch of each gateway and partition is under way, so that a repeat of it is not worked on twice. */
export class Batches {
  readonly #latest = new LRUCache<string, BatchRun>({ max: REMEMBERED })

  /** Begins a batch, or says undefined: a repeat of what is under way, or older than that. */
  begin(partition: number, batch: SendBatch, reply: string | undefined): BatchRun | undefined {
    const { node, batch: number, sends } = batch
    const run: BatchRun = { partition, node, number, reply, unanswered: sends.length }
    // With a reply subject every asking has an inbox of its own to be answered in.
    if (reply !== undefined) return run
    const key = `${partition}/${node}`
    const latest = this.#latest.get(key)
    if (latest && (number < latest.number || (number === latest.number && latest.unanswered > 0))) return undefined
    this.#latest.set(key, run)
    return run
  }

  /** Forgets one partition's batches, or all: their sends were dropped, and a repeat has to be taken. */
  drop(partition?: number): void {
    if (partition === undefined) this.#latest.clear()
    for (const [key, run] of this.#latest.entries()) if (run.partition === partition) this.#latest.delete(key)
  }
}
