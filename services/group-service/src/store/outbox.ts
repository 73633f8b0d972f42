import type { GroupFact, GroupFactData } from '@qunxin/contracts'

export interface OutboxFact {
  /** The same for the same fact for ever: JetStream drops what it has seen under it. */
  id: string
  what: GroupFact
  data: GroupFactData
}

/** Facts that were stored with their changes and are not published yet. */
export interface Outbox {
  /** Oldest first; the facts of one group in the order of its changes. */
  oldest(most: number): Promise<OutboxFact[]>
  remove(ids: readonly string[]): Promise<void>
}
