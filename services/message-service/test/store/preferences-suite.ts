import type { Test } from 'tap'
import type { Preferences } from '../../src/store/preferences.ts'

/** What every store of preferences does; `open` gives an empty one. */
export async function preferencesSuite(t: Test, open: () => Promise<Preferences>): Promise<void> {
  const pair = { user: '1', conversation: 'p1-2' }

  t.test('a block and a mute of one conversation stand beside each other', async (t) => {
    const preferences = await open()
    t.equal(await preferences.version('1', 'p1-2'), 0)
    const blocked = await preferences.change({ ...pair, version: 0, blocked: true })
    t.same(blocked, { ...pair, version: 1, blocked: true, muted: false })
    t.same(await preferences.change({ ...pair, version: 1, muted: true }), {
      ...pair,
      version: 2,
      blocked: true,
      muted: true,
    })
    t.same(await preferences.change({ ...pair, version: 2, blocked: false }), {
      ...pair,
      version: 3,
      blocked: false,
      muted: true,
    })
    t.equal(await preferences.version('1', 'p1-2'), 3)
  })

  t.test('a change asked for twice, or by two at once, is made once', async (t) => {
    const preferences = await open()
    const change = { ...pair, version: 0, blocked: true }
    const rows = await Promise.all([1, 2, 3].map(() => preferences.change(change)))
    t.same(new Set(rows.map((row) => row?.version)), new Set([1]))
  })

  t.test('a change that comes late undoes nothing that came since', async (t) => {
    const preferences = await open()
    await preferences.change({ ...pair, version: 0, blocked: true })
    await preferences.change({ ...pair, version: 1, blocked: false })
    t.equal(await preferences.change({ ...pair, version: 0, blocked: true }), undefined)
    t.match(await preferences.ofPairs(['p1-2']), [{ blocked: false, version: 2 }])
    t.equal(await preferences.change({ user: '1', conversation: 'p1-7', version: 5, blocked: true }), undefined)
    t.equal(await preferences.version('1', 'p1-7'), 0)
  })

  t.test('what both users want is found by their conversations', async (t) => {
    const preferences = await open()
    await preferences.change({ user: '2', conversation: 'p1-2', version: 0, blocked: true })
    await preferences.change({ user: '1', conversation: 'p1-3', version: 0, muted: true })
    await preferences.change({ user: '1', conversation: 'p1-4', version: 0, blocked: true })
    const found = await preferences.ofPairs(['p1-2', 'p1-3', 'p1-9'])
    t.same(found.map(({ user, conversation, blocked }) => `${user} ${conversation} ${blocked}`).sort(), [
      '1 p1-3 false',
      '2 p1-2 true',
    ])
    t.same(await preferences.ofPairs([]), [])
  })

  t.test('whom a user blocks comes by number, page by page', async (t) => {
    const preferences = await open()
    const conversationWith = (peer: number) => (peer < 50 ? `p${peer}-50` : `p50-${peer}`)
    for (const peer of [7, 100, 9, 1_000, 60]) {
      await preferences.change({ user: '50', conversation: conversationWith(peer), version: 0, blocked: true })
    }
    await preferences.change({ user: '50', conversation: 'p50-60', version: 1, blocked: false })
    await preferences.change({ user: '50', conversation: 'g5', version: 0, muted: true })
    await preferences.change({ user: '9', conversation: 'p9-50', version: 0, blocked: true })
    t.same(await preferences.blockedBy('50', { after: 0, limit: 3 }), [7, 9, 100])
    t.same(await preferences.blockedBy('50', { after: 100, limit: 3 }), [1_000])
    t.same(await preferences.blockedBy('60', { after: 0, limit: 3 }), [])
  })

  t.test('who muted a conversation is found, in groups and in pairs', async (t) => {
    const preferences = await open()
    for (const user of ['1', '2', '3']) await preferences.change({ user, conversation: 'g5', version: 0, muted: true })
    await preferences.change({ user: '2', conversation: 'g5', version: 1, muted: false })
    await preferences.change({ ...pair, version: 0, muted: true })
    t.same([...(await preferences.mutedIn('g5'))].sort(), ['1', '3'])
    t.same([...(await preferences.mutedIn('p1-2'))], ['1'])
    t.same([...(await preferences.mutedIn('g6'))], [])
  })
}
