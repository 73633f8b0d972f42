import t from 'tap'
import type { MemoryCursors } from '../../src/store/memory-cursors.ts'
import { setup as open } from './setup.ts'

async function setup(options: Parameters<typeof open>[0] = {}) {
  const opened = open(options)
  await opened.write('p1-2', '1', '1', '1')
  return opened
}
const cursorOf = async (cursors: MemoryCursors, user: string) => (await cursors.of('p1-2', [user])).get(user)
const conversation = 'p1-2'

t.test('the furthest of what came together is written, and what is read has been received', async (t) => {
  const { cursors, receipts } = await setup()
  const taken = [
    receipts.take([{ user: '2', conversation, delivered: 1, read: 2 }]),
    receipts.take([{ user: '2', conversation, delivered: 1 }]),
  ]
  await receipts.flush()
  await Promise.all(taken)
  t.same(await cursorOf(cursors, '2'), { deliveredSeq: 2, readSeq: 2 })
})

t.test('a receipt ahead of the log counts up to its end, also when memory lags behind', async (t) => {
  const { cursors, take } = await setup({ newestSeq: () => 1 })
  await take([{ user: '2', conversation, read: 99 }])
  t.same(await cursorOf(cursors, '2'), { deliveredSeq: 3, readSeq: 3 })
})

t.test('who is not in a personal conversation has no cursor in it, and an empty one has none', async (t) => {
  const { cursors, take, told } = await setup()
  await take([
    { user: '7', conversation, delivered: 2 },
    { user: '1', conversation: 'p1-9', read: 2 },
    { user: '1', conversation },
  ])
  t.equal(await cursorOf(cursors, '7'), undefined)
  t.equal(await cursorOf(cursors, '1'), undefined)
  t.same(await cursors.of('p1-9', ['1']), new Map())
  t.same(told(), [])
})

t.test('what could not be written is written later, and only then taken', async (t) => {
  const { cursors, receipts, told } = await setup()
  const { advance } = cursors
  cursors.advance = async () => {
    throw new Error('away')
  }
  let stored = false
  const taken = receipts.take([{ user: '2', conversation, delivered: 2 }]).then(() => {
    stored = true
  })
  await receipts.flush()
  t.same([stored, told()], [false, []])
  cursors.advance = advance.bind(cursors)
  await receipts.flush()
  await taken
  t.match(await cursorOf(cursors, '2'), { deliveredSeq: 2 })
  t.equal(told().length, 1)
})

t.test('while a write takes its time, what comes gathers for the next one', async (t) => {
  const { cursors, receipts } = await setup()
  const advance = cursors.advance.bind(cursors)
  const begun = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  let writes = 0
  cursors.advance = async (moves) => {
    if (moves.length > 0) writes += 1
    begun.resolve()
    await release.promise
    await advance(moves)
  }
  const taken = [receipts.take([{ user: '2', conversation, delivered: 1 }])]
  void receipts.flush()
  await begun.promise
  for (const delivered of [2, 3]) {
    taken.push(receipts.take([{ user: '2', conversation, delivered }]))
    void receipts.flush()
  }
  release.resolve()
  await Promise.all(taken)
  t.equal(writes, 2)
  t.match(await cursorOf(cursors, '2'), { deliveredSeq: 3 })
})

t.test('the peer is told what was read back, also where another owner went further', async (t) => {
  const { cursors, take, told } = await setup()
  await cursors.advance([{ user: '2', conversation, deliveredSeq: 3, readSeq: 1 }])
  await take([{ user: '2', conversation, delivered: 2 }])
  const data = { sessionId: '', peerUserId: 2, deliveredSeq: 3, readSeq: 1 }
  t.same(told(), [{ to: { users: ['1'] }, data, except: undefined, cursor: { of: '2', delivered: 3, read: 1 } }])
})

t.test('what was told once is neither written nor told again', async (t) => {
  const { cursors, take, told } = await setup()
  await take([{ user: '2', conversation, delivered: 2 }])
  told()
  cursors.advance = async (moves) => {
    t.same(moves, [])
  }
  await take([{ user: '2', conversation, delivered: 2 }])
  t.same(told(), [])
})

t.test('what was stored by an owner that did not tell of it is told when it comes again', async (t) => {
  const { cursors, take, told } = await setup()
  await cursors.advance([{ user: '2', conversation, deliveredSeq: 2 }])
  await take([{ user: '2', conversation, delivered: 2 }])
  t.match(told(), [{ to: { users: ['1'] }, data: { deliveredSeq: 2 } }])
})

t.test('the reader’s other connections are told, unless there are none', async (t) => {
  const { take, told } = await setup()
  const own = (readSeq: number) => ({ sessionId: '', peerUserId: 1, deliveredSeq: 3, readSeq, own: true })
  const receipt = { user: '2', conversation, delivered: 3, conn: 'c' }
  await take([{ ...receipt, read: 1 }], 'a')
  t.match(told(), [{}, { to: { users: ['2'] }, data: own(1), except: 'c', cursor: { of: '2', delivered: 3, read: 1 } }])
  await take([{ ...receipt, read: 2, alone: true }], 'a')
  t.match(told(), [{ to: { users: ['1'] } }], 'alone on the only node that has the user')
  await take([{ ...receipt, read: 3, alone: true }], 'b')
  t.match(told(), [{}, { to: { users: ['2'] }, data: own(3) }], 'another node has the user too')
})

t.test('an owner that lost the partition tells nobody, and does not answer', async (t) => {
  const { cursors, receipts, place, told } = await setup()
  const each = cursors.each.bind(cursors)
  for (const next of [undefined, 2]) {
    place.owned = 1
    cursors.each = async (keys) => {
      place.owned = next
      return each(keys)
    }
    const taken = receipts.take([{ user: '2', conversation, delivered: 2 }])
    await Promise.all([t.rejects(taken), receipts.flush()])
    t.same(told(), [])
  }
  t.match(await cursorOf(cursors, '2'), { deliveredSeq: 2 }, 'stored it is')
})

t.test(
  'a send right after the last read message takes the cursor along, others do not, and nobody is told',
  async (t) => {
    const { cursors, receipts, take, told } = await setup()
    await take([{ user: '2', conversation, read: 1 }])
    told()
    const sent = (from: string, ...seqs: number[]) => receipts.stored(seqs.map((seq) => ({ conversation, from, seq })))
    sent('2', 2, 3)
    sent('1', 3)
    await receipts.flush()
    t.same(await cursorOf(cursors, '2'), { deliveredSeq: 3, readSeq: 3 })
    t.equal(await cursorOf(cursors, '1'), undefined, 'the first two were not read')
    t.same(told(), [])
  },
)
