import type { ConversationId } from '@qunxin/contracts'
import { BatchLoader } from '../store/batch-loader.ts'
import type { Preference, Preferences } from '../store/preferences.ts'

const PAIRS_PER_QUESTION = 500

/** Reads what users want of personal conversations, of many with one question. */
export class PairPreferences {
  readonly #loader: BatchLoader<ConversationId, readonly Preference[]>

  constructor(store: Pick<Preferences, 'ofPairs'>) {
    this.#loader = new BatchLoader<ConversationId, readonly Preference[]>(PAIRS_PER_QUESTION, async (pairs) => {
      const rows = Map.groupBy(await store.ofPairs(pairs), (row) => row.conversation)
      return pairs.map((pair) => rows.get(pair) ?? [])
    })
  }

  /** As of some moment after the call. */
  of(conversation: ConversationId): Promise<readonly Preference[]> {
    return this.#loader.of(conversation)
  }
}
