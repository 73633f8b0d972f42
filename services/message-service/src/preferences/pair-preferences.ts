import type { ConversationId } from '@qunxin/contracts'
import type { Preference, Preferences } from '../store/preferences.ts'

/** Reads what users want of personal conversations; those asked for in one turn of the event loop are one question. */
export class PairPreferences {
  readonly #store: Pick<Preferences, 'ofPairs'>
  #wanted = new Set<ConversationId>()
  #asking: Promise<Map<ConversationId, Preference[]>> | undefined

  constructor(store: Pick<Preferences, 'ofPairs'>) {
    this.#store = store
  }

  /** As of some moment after the call. */
  async of(conversation: ConversationId): Promise<readonly Preference[]> {
    this.#wanted.add(conversation)
    this.#asking ??= new Promise<void>((resolve) => setImmediate(resolve)).then(async () => {
      const wanted = [...this.#wanted]
      this.#wanted = new Set()
      this.#asking = undefined
      return Map.groupBy(await this.#store.ofPairs(wanted), (row) => row.conversation)
    })
    return (await this.#asking).get(conversation) ?? []
  }
}
