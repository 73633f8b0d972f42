import type { Clock } from '@qunxin/runtime'

/** A message younger than this may have been stored by a process that died before its fan-out. */
const YOUNG_MS = 10_000
/** An owner that hands over a partition has told everything but what it is just storing. */
const JUST_STORED_MS = 1_000

interface Tenure {
  since: number
  /** When the owner before us, who lived, said that it had left nothing untold. */
  handedOverAt?: number
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

  /** Returns whether it can be handed over: nobody before us can have left anything young untold. */
  end(partition: number): boolean {
    const tenure = this.#byPartition.get(partition)
    this.#byPartition.delete(partition)
    return tenure !== undefined && this.#isSettled(tenure)
  }

  /** Those that could be handed over now. */
  settled(): number[] {
    return [...this.#byPartition].flatMap(([partition, tenure]) => (this.#isSettled(tenure) ? [partition] : []))
  }

  /** Their owner, who lives, has handed these over. Soon after a death that is not the whole story: the dead one may have owned them too. */
  handedOver(partitions: readonly number[]): void {
    if (this.#isShaken()) return
    for (const partition of partitions) {
      const tenure = this.#byPartition.get(partition)
      if (tenure && !this.#isSettled(tenure)) tenure.handedOverAt = this.#clock.now()
    }
  }

  /** An instance died, or we may have been taken for dead: what it owned, and handed over to whom, is not known for certain. */
  shaken(): void {
    this.#diedAt = this.#clock.now()
    for (const tenure of this.#byPartition.values()) delete tenure.handedOverAt
  }

  /** What is older than this (ms) has been told, or will be by who stored it. */
  toldUntil(partition: number): number {
    const handedOverAt = this.#byPartition.get(partition)?.handedOverAt ?? -Infinity
    return Math.max(this.#clock.now() - YOUNG_MS, handedOverAt - JUST_STORED_MS)
  }

  #isSettled({ since, handedOverAt }: Tenure): boolean {
    return !this.#isShaken() && (handedOverAt !== undefined || this.#clock.now() - since >= YOUNG_MS)
  }

  #isShaken(): boolean {
    return this.#clock.now() - this.#diedAt < YOUNG_MS
  }
}
