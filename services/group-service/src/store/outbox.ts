import type { GroupFact, GroupFactData } from '@qunxin/contracts'

export interface OutboxFact {
  /** The same for the same fact for ever: JetStream drops what it has seen under it. */
  id: string
  what: GroupFact
  data: GroupFactData
}

/** Facts that were stored with their changes: those not published yet, and for a while those that are. */
export interface Outbox {
  /** Of those not published yet the oldest first; the facts of one group in the order of its changes. */
  oldest(most: number): Promise<OutboxFact[]>
  published(ids: readonly string[]): Promise<void>
  /** What was published in the last `withinMs` counts as not published. */
  publishAgain(withinMs: number): Promise<void>
}
