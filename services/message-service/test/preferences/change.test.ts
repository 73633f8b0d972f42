import t from 'tap'
import { ConversationCache } from '../../src/partition/conversations.ts'
import { changePreference, type OwnedPlace } from '../../src/preferences/change.ts'
import { SETTLING_MS } from '../../src/preferences/settling.ts'
import { MemoryPreferences } from '../../src/store/memory-preferences.ts'

const block = { user: '2', conversation: 'p1-2', version: 0, blocked: true }

/** An owner for long; what it waits for, and whether it stays owner, is up to the test. */
function owned(ownedSince: () => number | undefined = () => -SETTLING_MS) {
  const preferences = new MemoryPreferences()
  const conversations = new ConversationCache(10)
  const waits: string[] = []
  const wait = (what: string) => async () => void waits.push(what)
  const place = {
    lane: { still: wait('the commit under way') },
    fanout: { out: wait('what is on its way out') },
    ownedSince,
  } as unknown as OwnedPlace
  const options = { preferences, conversations, caughtUp: wait('what was said to us') }
  return { preferences, conversations, waits, change: (change = block) => changePreference(options, change, place) }
}

t.test('a block is stored, then in force, and answered when what came before it is out', async (t) => {
  const { preferences, conversations, waits, change } = owned()
  const conversation = conversations.use('p1-2', 0)
  t.same(await change(), { done: true })
  t.equal(await preferences.version('2', 'p1-2'), 1)
  t.equal(conversation.isBlocked('1'), true)
  t.equal(conversation.isBlocked('2'), false, 'who blocks may still write')
  t.same(waits, ['the commit under way', 'what is on its way out', 'what was said to us'])
})

t.test('a repeat that comes behind the next change brings nothing back', async (t) => {
  const { conversations, change } = owned()
  const conversation = conversations.use('p1-2', 0)
  await change()
  t.same(await change(), { done: true }, 'a repeat')
  t.same(await change({ ...block, version: 1, blocked: false }), { done: true })
  t.same(await change(), { done: false })
  t.equal(conversation.isBlocked('1'), false)
})

t.test('who may have lost the partition meanwhile does not answer', async (t) => {
  const since = [-SETTLING_MS, undefined]
  const lost = owned(() => since.shift())
  t.equal(await lost.change(), undefined)
  const again = [-SETTLING_MS, -SETTLING_MS + 1]
  t.equal(await owned(() => again.shift()).change(), undefined, 'nor who got it back')
  const never = owned(() => undefined)
  t.equal(await never.change(), undefined)
  t.equal(await never.preferences.version('2', 'p1-2'), 0)
})

t.test('who has just taken the partition over answers when nobody else acts for it any more', async (t) => {
  const since = performance.now() - SETTLING_MS + 60
  const { change, waits } = owned(() => since)
  t.same(await change(), { done: true })
  t.ok(performance.now() >= since + SETTLING_MS)
  t.equal(waits.at(-1), 'what was said to us')
})

t.test('a mute waits for nothing', async (t) => {
  const { preferences, waits, change } = owned(() => performance.now())
  t.same(await change({ user: '2', conversation: 'g5', version: 0, muted: true } as never), { done: true })
  t.same([...(await preferences.mutedIn('g5'))], ['2'])
  t.same(waits, [])
})
