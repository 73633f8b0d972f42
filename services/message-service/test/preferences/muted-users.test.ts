import t from 'tap'
import { ConversationCache } from '../../src/partition/conversations.ts'
import { MutedUsers } from '../../src/preferences/muted-users.ts'
import { MemoryPreferences } from '../../src/store/memory-preferences.ts'

function setup() {
  const store = new MemoryPreferences()
  const conversations = new ConversationCache(10)
  let reads = 0
  const muted = new MutedUsers(conversations, {
    mutedIn: (id) => {
      reads += 1
      return store.mutedIn(id)
    },
  })
  /** Stored by the owner, who tells the conversation in memory. */
  const mute = async (user: string, conversation: string, does = true) => {
    const version = await store.version(user, conversation)
    const row = await store.change({ user, conversation, version, muted: does })
    if (row) conversations.peek(conversation)?.prefer(row)
  }
  const of = async (id: string) => [...(await muted.of(id))].sort()
  return { conversations, mute, of, reads: () => reads }
}

t.test('of a group in memory it is read once, and changes come on top', async (t) => {
  const { conversations, mute, of, reads } = setup()
  await mute('7', 'g5')
  conversations.use('g5', 0)
  t.same(await of('g5'), ['7'])
  await mute('8', 'g5')
  await mute('7', 'g5', false)
  t.same(await of('g5'), ['8'])
  t.same(await of('g5'), ['8'])
  t.equal(reads(), 1)
  conversations.drop()
  conversations.use('g5', 0)
  t.same(await of('g5'), ['8'])
  t.equal(reads(), 2, 'after a change of owners it is read again')
})

t.test('of a personal conversation whose tail is loaded nothing is read', async (t) => {
  const { conversations, mute, of, reads } = setup()
  conversations.use('p1-2', 0).preferencesAt = 0
  t.same(await of('p1-2'), [])
  await mute('2', 'p1-2')
  t.same(await of('p1-2'), ['2'])
  t.equal(reads(), 0)
})

t.test('of what is not in memory it is read each time', async (t) => {
  const { mute, of, reads } = setup()
  await mute('2', 'p1-2')
  t.same(await of('p1-2'), ['2'])
  await mute('2', 'p1-2', false)
  t.same(await of('p1-2'), [])
  t.equal(reads(), 2)
})

t.test('a reading that fails is tried again by the next one', async (t) => {
  const conversations = new ConversationCache(10)
  conversations.use('g5', 0)
  let away = true
  const muted = new MutedUsers(conversations, {
    mutedIn: async () => {
      if (away) throw new Error('no primary')
      return new Set(['7'])
    },
  })
  await t.rejects(muted.of('g5'), /no primary/)
  away = false
  t.same(await muted.of('g5'), new Set(['7']))
})
