import type { Test } from 'tap'
import type { Conversations } from '../../src/store/conversations.ts'

/** What every store of personal conversations does; `open` gives an empty one. */
export async function conversationsSuite(t: Test, open: () => Promise<Conversations>): Promise<void> {
  t.test('both users have the conversation, begun once or twice at once', async (t) => {
    const rows = await open()
    await Promise.all([rows.begin(['p1-2'], 5), rows.begin(['p1-2'], 6)])
    await rows.begin(['p1-2'], 7)
    t.same(await rows.of('1', 10), ['p1-2'])
    t.same(await rows.of('2', 10), ['p1-2'])
    t.same(await rows.of('3', 10), [])
  })

  t.test('a user’s conversations come newest first, so many as asked', async (t) => {
    const rows = await open()
    await rows.begin(['p1-2'], 5)
    await rows.begin(['p1-3'], 9)
    await rows.begin(['p1-4'], 7)
    t.same(await rows.of('1', 2), ['p1-3', 'p1-4'])
  })

  t.test('which of some conversations a user has is found by their names', async (t) => {
    const rows = await open()
    await rows.begin(['p1-2'], 5)
    await rows.begin(['p2-3'], 6)
    t.same(await rows.among('1', ['p1-2', 'p2-3', 'p1-9']), new Set(['p1-2']))
    t.same(await rows.among('9', ['p1-2', 'p1-9']), new Set())
    t.same(await rows.among('1', []), new Set())
  })

  t.test('the conversations of many users come together, of each all or none', async (t) => {
    const rows = await open()
    for (const [conversation, at] of [
      ['p1-2', 5],
      ['p1-3', 6],
      ['p2-3', 7],
    ] as const)
      await rows.begin([conversation], at)
    const sorted = async (limit: number) => {
      const found = await rows.ofUsers(['1', '2', '4'], limit)
      return [...found].map(([user, conversations]) => [user, conversations.toSorted()])
    }
    t.same(await sorted(4), [
      ['1', ['p1-2', 'p1-3']],
      ['2', ['p1-2', 'p2-3']],
      ['4', []],
    ])
    const some = new Map((await sorted(3)) as [string, string[]][])
    t.same(some.get('1'), ['p1-2', 'p1-3'])
    t.notOk(some.has('2'), 'with one more than there is room for')
    t.same(await rows.ofUsers([], 3), new Map())
  })
}
