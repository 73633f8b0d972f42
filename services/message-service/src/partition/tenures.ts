import type { MessageInstance } from '@qunxin/contracts'
import type { Clock } from '@qunxin/runtime'

/** A message younger than this may have been stored by a process that died before its fan-out. */
const YOUNG_MS = 10_000
/** What others stored at the same time, as two do for a moment when one joins or leaves, may have been stored by a clock behind ours. */
const RIVAL_MS = 1_000

interface Tenure {
  since: number
  /** By the word of the owner before us: what is older it has not left untold. */
  toldUntil?: number
}

/** The partitions that are ours, and how far back something may be stored in each that nobody was told. Times are those of the log. */
export class Tenures {
  readonly #clock: Clock
  readonly #byPartition = new Map<number, Tenure>()
  #diedAt = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#byPartition.size
  }

  has(partition: number): boolean {
    return this.#byPartition.has(partition)
  }

  begin(partition: number): void {
    this.#byPartition.set(partition, { since: this.#clock.now() })
  }

  end(partition: number): void {
    this.#byPartition.delete(partition)
  }

  /**
   * Our word on those of these partitions in which nobody before us can have left anything young untold, or has given us theirs.
   * Of our own messages those before `untoldSince` have been told. It holds even if we die over the rest.
   */
  handOver(
    untoldSince: number,
    partitions: Iterable<number> = this.#byPartition.keys(),
  ): Pick<MessageInstance, 'handsOver' | 'toldUntil'> {
    const now = this.#clock.now()
    const handsOver: number[] = []
    let toldUntil = Math.min(now, untoldSince) - RIVAL_MS
    for (const partition of partitions) {
      const tenure = this.#byPartition.get(partition)
      if (!tenure || !this.#isSettled(tenure)) continue
      handsOver.push(partition)
      // What the owner before us was just storing it may still be telling, or may have died over.
      if (now - tenure.since < YOUNG_MS) toldUntil = Math.min(toldUntil, tenure.toldUntil ?? toldUntil)
    }
    return handsOver.length > 0 ? { handsOver, toldUntil } : {}
  }

  /** Their owner, who lives, has handed these over. Soon after a death that is not the whole story: the dead one may have owned them too. */
  handedOver({ handsOver = [], toldUntil }: Pick<MessageInstance, 'handsOver' | 'toldUntil'>): void {
    if (this.#isShaken() || toldUntil === undefined) return
    for (const partition of handsOver) {
      const tenure = this.#byPartition.get(partition)
      if (tenure && !this.#isSettled(tenure)) tenure.toldUntil = toldUntil
    }
  }

  /** An instance died, or we may have been taken for dead: what it owned, and handed over to whom, is not known for certain. */
  shaken(): void {
    this.#diedAt = this.#clock.now()
    for (const tenure of this.#byPartition.values()) delete tenure.toldUntil
  }

  /** What is older than this (ms) has been told, or will be by who stored it. */
  toldUntil(partition: number): number {
    return Math.max(this.#clock.now() - YOUNG_MS, this.#byPartition.get(partition)?.toldUntil ?? -Infinity)
  }

  #isSettled({ since, toldUntil }: Tenure): boolean {
    return !this.#isShaken() && (toldUntil !== undefined || this.#clock.now() - since >= YOUNG_MS)
  }

  #isShaken(): boolean {
    return this.#clock.now() - this.#diedAt < YOUNG_MS
  }
}
