import type { Test } from 'tap'
import type { Cursors } from '../../src/store/cursors.ts'

/** What every store of cursors does; `open` gives an empty one. */
export async function cursorsSuite(t: Test, open: () => Promise<Cursors>): Promise<void> {
  t.test('a cursor never moves back, in whatever order it is written', async (t) => {
    const cursors = await open()
    await cursors.advance([{ user: '1', conversation: 'p1-2', deliveredSeq: 7 }])
    await cursors.advance([{ user: '1', conversation: 'p1-2', deliveredSeq: 5, readSeq: 5 }])
    t.same(await cursors.of('p1-2', ['1', '2']), new Map([['1', { deliveredSeq: 7, readSeq: 5 }]]))
  })

  t.test('cursors written at the same time leave the furthest', async (t) => {
    const cursors = await open()
    const moves = [3, 9, 4, 8, 1].map((deliveredSeq) =>
      cursors.advance([{ user: '1', conversation: 'g5', deliveredSeq }]),
    )
    await Promise.all(moves)
    t.same(await cursors.of('g5', ['1']), new Map([['1', { deliveredSeq: 9, readSeq: 0 }]]))
  })

  t.test('many who come equally far go as far, those who had no cursor and those who were further', async (t) => {
    const cursors = await open()
    const users = Array.from({ length: 20 }, (_, index) => String(index + 1))
    const all = (deliveredSeq: number, readSeq: number) =>
      users.map((user) => ({ user, conversation: 'g5', deliveredSeq, readSeq }))
    await cursors.advance([
      { user: '1', conversation: 'g5', deliveredSeq: 9, readSeq: 1 },
      { user: '2', conversation: 'g5', deliveredSeq: 3, readSeq: 3 },
      { user: '3', conversation: 'g6', deliveredSeq: 9 },
    ])
    await cursors.advance([...all(5, 2), { user: '30', conversation: 'g5', readSeq: 7, deliveredSeq: 7 }])
    const found = await cursors.of('g5', ['1', '2', '3', '20', '30', '31'])
    t.same(
      [...found].sort(([one], [other]) => Number(one) - Number(other)),
      [
        ['1', { deliveredSeq: 9, readSeq: 2 }],
        ['2', { deliveredSeq: 5, readSeq: 3 }],
        ['3', { deliveredSeq: 5, readSeq: 2 }],
        ['20', { deliveredSeq: 5, readSeq: 2 }],
        ['30', { deliveredSeq: 7, readSeq: 7 }],
      ],
    )
    await cursors.advance(all(8, 2))
    t.same((await cursors.of('g5', users)).size, users.length)
    t.same(await cursors.each([{ user: '20', conversation: 'g5' }]), [{ deliveredSeq: 8, readSeq: 2 }])
    t.same(await cursors.ofUser('3', ['g6']), new Map([['g6', { deliveredSeq: 9, readSeq: 0 }]]))
  })

  t.test('a user’s cursors are found by conversation', async (t) => {
    const cursors = await open()
    await cursors.advance([
      { user: '1', conversation: 'g5', deliveredSeq: 1 },
      { user: '1', conversation: 'g6', readSeq: 2 },
      { user: '2', conversation: 'g5', deliveredSeq: 3 },
    ])
    t.same([...(await cursors.ofUser('1', ['g5', 'g6', 'g7'])).keys()].sort(), ['g5', 'g6'])
    await cursors.advance([])
  })

  t.test('any cursors are read together, in the order asked, however many', async (t) => {
    const cursors = await open()
    const keys = Array.from({ length: 1_100 }, (_, index) => ({
      user: String(index + 1),
      conversation: `g${index % 7}`,
    }))
    await cursors.advance(keys.map((key, index) => ({ ...key, deliveredSeq: index + 2, readSeq: index + 1 })))
    const asked = [{ user: '1', conversation: 'g6' }, ...keys.toReversed()]
    const [none, ...found] = await cursors.each(asked)
    t.same(none, { deliveredSeq: 0, readSeq: 0 })
    t.same(
      found.toReversed(),
      keys.map((_, index) => ({ deliveredSeq: index + 2, readSeq: index + 1 })),
    )
    t.same(await cursors.each([]), [])
  })
}
