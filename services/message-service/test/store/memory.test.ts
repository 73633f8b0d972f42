import t from 'tap'
import { MemoryConversations } from '../../src/store/memory-conversations.ts'
import { MemoryCursors } from '../../src/store/memory-cursors.ts'
import { MemoryFloors } from '../../src/store/memory-floors.ts'
import { MemoryLog } from '../../src/store/memory-log.ts'
import { MemoryPreferences } from '../../src/store/memory-preferences.ts'
import { conversationsSuite } from './conversations-suite.ts'
import { cursorsSuite } from './cursors-suite.ts'
import { floorsSuite } from './floors-suite.ts'
import { messageLogSuite } from './message-log-suite.ts'
import { preferencesSuite } from './preferences-suite.ts'

t.test('the log in memory', (t) => messageLogSuite(t, async () => new MemoryLog()))
t.test('cursors in memory', (t) => cursorsSuite(t, async () => new MemoryCursors()))
t.test('conversations in memory', (t) => conversationsSuite(t, async () => new MemoryConversations()))
t.test('floors in memory', (t) => floorsSuite(t, async () => new MemoryFloors()))
t.test('preferences in memory', (t) => preferencesSuite(t, async () => new MemoryPreferences()))
