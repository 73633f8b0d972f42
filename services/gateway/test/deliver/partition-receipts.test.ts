import type { ReceiptBatch } from '@qunxin/contracts'
import t from 'tap'
import { PartitionReceipts } from '../../src/deliver/partition-receipts.ts'

/** The receipts of one partition, whose owner answers when the test says so. */
function receipts() {
  const published: ReceiptBatch[] = []
  const answers: (() => void)[] = []
  const state = { away: false, alone: new Set<string>() }
  const made = new PartitionReceipts({
    node: 'n1',
    isAlone: (user) => state.alone.has(user),
    publish(payload, answered) {
      if (state.away) return false
      published.push(JSON.parse(payload))
      answers.push(answered)
      return true
    },
  })
  const delivered = (user: string, seq: number, hasRoom = true) =>
    made.add({ user, conversation: 'p1-2', delivered: seq }, hasRoom)
  const read = (user: string, seq: number, conn: string) =>
    made.add({ user, conversation: 'p1-2', read: seq, conn }, true)
  return { made, published, answers, state, delivered, read }
}

const about = { conversation: 'p1-2' }

t.test(
  'what comes before it goes out is one receipt: the furthest, with the connection that read furthest',
  async (t) => {
    const { made, published, delivered, read } = receipts()
    delivered('1', 9)
    read('1', 4, 'a')
    read('1', 7, 'b')
    read('1', 6, 'c')
    delivered('1', 3)
    delivered('2', 5)
    made.advance(0)
    t.same(published, [
      {
        node: 'n1',
        receipts: [
          { user: '1', ...about, delivered: 9, read: 7, conn: 'b' },
          { user: '2', ...about, delivered: 5 },
        ],
      },
    ])
  },
)

t.test('one batch is under way; what comes behind it goes out once it is answered', async (t) => {
  const { made, published, answers, delivered } = receipts()
  delivered('1', 1)
  made.advance(0)
  delivered('1', 2)
  delivered('1', 3)
  made.advance(10)
  t.equal(published.length, 1)
  t.equal(made.size, 2)
  answers[0]?.()
  made.advance(20)
  t.same(published[1]?.receipts, [{ user: '1', ...about, delivered: 3 }])
  answers[1]?.()
  made.advance(30)
  t.equal(published.length, 2, 'what is confirmed and unchanged is not told again')
  t.equal(made.size, 0)
})

t.test('what the batch under way says already is not kept for the next', async (t) => {
  const { made, delivered, read } = receipts()
  read('1', 5, 'a')
  made.advance(0)
  delivered('1', 5)
  read('1', 4, 'b')
  t.equal(made.size, 1)
})

t.test('without an answer it goes out again, not before its time, and any of its answers counts', async (t) => {
  const { made, published, answers, state, delivered } = receipts()
  state.away = true
  delivered('1', 1)
  made.advance(0)
  state.away = false
  made.repeat(-500, 0)
  t.equal(published.length, 1, 'it had never gone out')
  made.repeat(-1, 499)
  t.equal(published.length, 1)
  made.repeat(0, 500)
  t.same(published[1], published[0])
  answers[0]?.()
  t.equal(made.size, 0)
  delivered('1', 2)
  made.advance(600)
  answers[1]?.()
  t.equal(made.size, 1, 'the late answer to a repeat is not one to the next batch')
})

t.test('whether the reader is alone is as of each publication', async (t) => {
  const { made, published, state, read, delivered } = receipts()
  state.alone.add('1').add('2')
  read('1', 5, 'a')
  delivered('2', 5)
  made.advance(0)
  state.alone.clear()
  made.repeat(0, 500)
  t.same(
    published.map(({ receipts }) => receipts.map(({ alone }) => alone)),
    [
      [true, undefined],
      [undefined, undefined],
    ],
  )
})

t.test('without room what is known goes on, and nothing new is taken', async (t) => {
  const { made, published, delivered } = receipts()
  t.equal(delivered('1', 1), true)
  t.equal(delivered('1', 2, false), true)
  t.equal(delivered('2', 1, false), false)
  made.advance(0)
  t.same(published[0]?.receipts, [{ user: '1', ...about, delivered: 2 }])
})
