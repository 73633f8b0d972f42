import { MemoryConversations } from '../src/store/memory-conversations.ts'
import { MemoryCursors } from '../src/store/memory-cursors.ts'
import { MemoryFloors } from '../src/store/memory-floors.ts'
import { MemoryLog } from '../src/store/memory-log.ts'
import { MemoryOverviews } from '../src/store/memory-overviews.ts'
import { MemoryPreferences } from '../src/store/memory-preferences.ts'

/** Empty stores in memory, and overviews of them. */
export function memoryStores() {
  const stores = {
    log: new MemoryLog(),
    cursors: new MemoryCursors(),
    conversations: new MemoryConversations(),
    floors: new MemoryFloors(),
    preferences: new MemoryPreferences(),
  }
  return { ...stores, overviews: new MemoryOverviews(stores) }
}
