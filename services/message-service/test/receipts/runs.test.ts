import t from 'tap'
import { Runs, takenAlong } from '../../src/receipts/runs.ts'

const sent = (from: string, ...seqs: number[]) => seqs.map((seq) => ({ conversation: 'g5', from, seq }))

t.test('what a user sends one behind the other is one run', async (t) => {
  const runs = new Runs()
  runs.add(sent('1', 1, 2), 10)
  runs.add([...sent('1', 3), ...sent('2', 4), ...sent('1', 5)], 20)
  t.same(runs.take(15, 9), [
    {
      user: '1',
      conversation: 'g5',
      since: 10,
      runs: [
        [1, 3],
        [5, 5],
      ],
    },
  ])
  t.equal(runs.size, 1, 'the other has not waited long enough')
  t.match(runs.take(20, 9), [{ user: '2', runs: [[4, 4]] }])
})

t.test('those who wait longest are taken first, and no more at once than asked', async (t) => {
  const runs = new Runs()
  for (let user = 1; user <= 30; user++) runs.add(sent(String(user), user), user)
  t.same(
    runs.take(99, 20).map(({ since }) => since),
    Array.from({ length: 20 }, (_, index) => index + 1),
  )
  t.equal(runs.take(99, 20).length, 10)
})

t.test('there is a limit to who waits, and to the runs of one', async (t) => {
  const runs = new Runs()
  runs.add(sent('1', ...Array.from({ length: 40 }, (_, index) => 2 * index + 1)), 1)
  t.equal(runs.take(1, 1)[0]?.runs.length, 16)
  for (let user = 0; user < 20_010; user++) runs.add(sent(String(user), user), 1)
  t.equal(runs.size, 20_000)
})

t.test('a cursor goes along from run to run as long as nothing unread lies between', async (t) => {
  const from = { deliveredSeq: 9, readSeq: 4 }
  t.same(
    takenAlong(
      [
        [5, 6],
        [7, 7],
      ],
      from,
    ),
    { deliveredSeq: 9, readSeq: 7 },
  )
  t.same(
    takenAlong(
      [
        [5, 6],
        [8, 12],
      ],
      from,
    ),
    { deliveredSeq: 9, readSeq: 6 },
  )
  t.same(takenAlong([[6, 20]], from), from)
  t.same(
    takenAlong(
      [
        [2, 3],
        [4, 10],
      ],
      from,
    ),
    { deliveredSeq: 10, readSeq: 10 },
    'also when some of it was read meanwhile',
  )
  t.same(takenAlong([[1, 1]], { deliveredSeq: 0, readSeq: 0 }), { deliveredSeq: 1, readSeq: 1 })
})
