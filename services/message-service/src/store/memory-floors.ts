import type { ConversationId } from '@qunxin/contracts'
import { mayReplace } from '../domain/floors.ts'
import type { Floor } from '../domain/present.ts'
import type { FloorDocument, Floors } from './floors.ts'

/** Floors in memory, for tests. */
export class MemoryFloors implements Floors {
  readonly #floors = new Map<ConversationId, FloorDocument>()

  async of(conversations: readonly ConversationId[]): Promise<Map<ConversationId, Floor>> {
    return new Map(
      conversations.flatMap((conversation) => {
        const floor = this.#floors.get(conversation)
        return floor ? [[conversation, { delivered: floor.delivered, read: floor.read }] as const] : []
      }),
    )
  }

  async raise(floors: readonly FloorDocument[]): Promise<void> {
    for (const floor of floors) {
      const stored = this.#floors.get(floor._id)
      if (!stored || mayReplace(stored, floor)) this.#floors.set(floor._id, floor)
    }
  }

  async remove(conversations: readonly ConversationId[]): Promise<void> {
    for (const conversation of conversations) this.#floors.delete(conversation)
  }
}
