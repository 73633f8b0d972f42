import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import { Receipts } from '../../src/receipts/receipts.ts'
import { MemoryCursors } from '../../src/store/memory-cursors.ts'
import { MemoryLog } from '../../src/store/memory-log.ts'
import { message } from '../sample.ts'

const logger = createLogger('test', 'silent')

async function setup(newestSeq: (conversation: string) => number | undefined = () => undefined) {
  const log = new MemoryLog()
  await log.append([1, 2, 3].map((seq) => message({ seq })))
  const cursors = new MemoryCursors()
  return { log, cursors, receipts: new Receipts({ log, cursors, newestSeq, logger }) }
}
const delivered = async (cursors: MemoryCursors, user: string) =>
  (await cursors.of('p1-2', [user])).get(user)?.deliveredSeq

t.test('the furthest of what came together is written', async (t) => {
  const { cursors, receipts } = await setup()
  receipts.take([{ user: '2', conversation: 'p1-2', delivered: 2 }])
  receipts.take([{ user: '2', conversation: 'p1-2', delivered: 1 }])
  await receipts.flush()
  t.equal(await delivered(cursors, '2'), 2)
})

t.test('a receipt ahead of the log counts up to its end, also when memory lags behind', async (t) => {
  const { cursors, receipts } = await setup(() => 1)
  receipts.take([{ user: '2', conversation: 'p1-2', delivered: 99 }])
  await receipts.flush()
  t.equal(await delivered(cursors, '2'), 3)
})

t.test('who is not in a personal conversation has no cursor in it, and an empty one has none', async (t) => {
  const { cursors, receipts } = await setup()
  receipts.take([
    { user: '7', conversation: 'p1-2', delivered: 2 },
    { user: '1', conversation: 'p1-9', delivered: 2 },
  ])
  await receipts.flush()
  t.equal(await delivered(cursors, '7'), undefined)
  t.same(await cursors.of('p1-9', ['1']), new Map())
})

t.test('what could not be written is written later', async (t) => {
  const { cursors, receipts } = await setup()
  const { advance } = cursors
  cursors.advance = async () => {
    throw new Error('away')
  }
  receipts.take([{ user: '2', conversation: 'p1-2', delivered: 2 }])
  await receipts.flush()
  cursors.advance = advance.bind(cursors)
  await receipts.flush()
  t.equal(await delivered(cursors, '2'), 2)
})

t.test('while a write takes its time, what comes gathers for the next one', async (t) => {
  const { cursors, receipts } = await setup()
  const advance = cursors.advance.bind(cursors)
  const begun = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  let writes = 0
  cursors.advance = async (moves) => {
    writes += 1
    begun.resolve()
    await release.promise
    await advance(moves)
  }
  receipts.take([{ user: '2', conversation: 'p1-2', delivered: 1 }])
  void receipts.flush()
  await begun.promise
  for (const delivered of [2, 3]) {
    receipts.take([{ user: '2', conversation: 'p1-2', delivered }])
    void receipts.flush()
  }
  release.resolve()
  await receipts.flush()
  t.equal(writes, 2)
  t.equal(await delivered(cursors, '2'), 3)
})
