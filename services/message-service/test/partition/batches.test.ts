import t from 'tap'
import { Batches } from '../../src/partition/batches.ts'
import { entry } from '../sample.ts'

const batch = (number: number, node = 'a') => ({ node, batch: number, sends: [entry('1', '2')] })

t.test('a repeat of the batch under way is dropped, one of an answered batch is taken', async (t) => {
  const batches = new Batches()
  const run = batches.begin(3, batch(1), undefined)!
  t.equal(batches.begin(3, batch(1), undefined), undefined)
  run.unanswered = 0
  t.ok(batches.begin(3, batch(1), undefined))
})

t.test('an older number is dropped, a newer one is taken while the older is under way', async (t) => {
  const batches = new Batches()
  t.ok(batches.begin(3, batch(2), undefined))
  t.equal(batches.begin(3, batch(1), undefined), undefined)
  t.ok(batches.begin(3, batch(3), undefined))
})

t.test('partitions and nodes count for themselves', async (t) => {
  const batches = new Batches()
  t.ok(batches.begin(3, batch(1), undefined))
  t.ok(batches.begin(4, batch(1), undefined))
  t.ok(batches.begin(3, batch(1, 'b'), undefined))
})

t.test('what was dropped with its partition is taken again', async (t) => {
  const batches = new Batches()
  batches.begin(3, batch(1), undefined)
  batches.begin(4, batch(1), undefined)
  batches.drop(3)
  t.ok(batches.begin(3, batch(1), undefined))
  t.equal(batches.begin(4, batch(1), undefined), undefined)
  batches.drop()
  t.ok(batches.begin(4, batch(1), undefined))
})

t.test('a batch with a reply subject is taken each time, since each asking has an inbox of its own', async (t) => {
  const batches = new Batches()
  t.ok(batches.begin(3, batch(1), 'one'))
  t.ok(batches.begin(3, batch(1), 'two'))
})
