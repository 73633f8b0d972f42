import t from 'tap'
import { Tenures } from '../../src/partition/tenures.ts'

const begun = (...partitions: number[]) => {
  const clock = { ms: 100_000, now: () => clock.ms }
  const tenures = new Tenures(clock)
  for (const partition of partitions) tenures.begin(partition)
  return { clock, tenures }
}

t.test(
  'who owned a partition before is not known: the last 10 s may be untold, and nothing can be handed over',
  async (t) => {
    const { clock, tenures } = begun(1)
    t.equal(tenures.toldUntil(1), 90_000)
    clock.ms += 9_999
    t.same(tenures.handOver(Number.POSITIVE_INFINITY), {})
  },
)

t.test('after 10 s whatever a predecessor left untold is young no more', async (t) => {
  const { clock, tenures } = begun(1, 2)
  clock.ms += 10_000
  t.same(tenures.handOver(Number.POSITIVE_INFINITY), { handsOver: [1, 2], toldUntil: 109_000 })
  t.same(tenures.handOver(Number.POSITIVE_INFINITY, [1, 7]), { handsOver: [1], toldUntil: 109_000 })
  tenures.end(1)
  t.same([tenures.has(1), tenures.has(2), tenures.size], [false, true, 1])
})

t.test('what is handed over is told as far as the word of the owner before goes, however late it comes', async (t) => {
  const { clock, tenures } = begun(1, 2)
  clock.ms += 3_000
  tenures.handedOver({ handsOver: [1, 7], toldUntil: 99_100 })
  t.equal(tenures.toldUntil(1), 99_100)
  t.equal(tenures.toldUntil(2), 93_000, 'of the other nobody said so')
  t.equal(tenures.has(7), false, 'it was not ours')
})

t.test('what is handed on at once is told no further than it was when it came', async (t) => {
  const { clock, tenures } = begun(1)
  tenures.handedOver({ handsOver: [1], toldUntil: 99_000 })
  clock.ms += 3_000
  t.same(tenures.handOver(Number.POSITIVE_INFINITY), { handsOver: [1], toldUntil: 99_000 })
  clock.ms += 7_000
  t.same(tenures.handOver(Number.POSITIVE_INFINITY), { handsOver: [1], toldUntil: 109_000 })
})

t.test('what an owner has stored and not told yet it does not hand over as told', async (t) => {
  const { clock, tenures } = begun(1)
  clock.ms += 20_000
  t.same(tenures.handOver(117_000, [1]), { handsOver: [1], toldUntil: 116_000 })
})

t.test('after a death nothing counts as handed over, neither before nor in the next 10 s', async (t) => {
  const { clock, tenures } = begun(1, 2)
  tenures.handedOver({ handsOver: [1], toldUntil: 99_000 })
  clock.ms += 1_000
  tenures.shaken()
  tenures.handedOver({ handsOver: [2], toldUntil: 100_000 })
  t.same([tenures.toldUntil(1), tenures.toldUntil(2)], [91_000, 91_000])
  t.same(tenures.handOver(Number.POSITIVE_INFINITY), {})
  clock.ms += 10_000
  t.same(tenures.handOver(Number.POSITIVE_INFINITY).handsOver, [1, 2])
})

t.test('a second word moves nothing forward, and one without a time says nothing', async (t) => {
  const { tenures } = begun(1, 2)
  tenures.handedOver({ handsOver: [1], toldUntil: 99_000 })
  tenures.handedOver({ handsOver: [1, 2], toldUntil: 99_500 })
  t.same([tenures.toldUntil(1), tenures.toldUntil(2)], [99_000, 99_500])
  const other = begun(1)
  other.tenures.handedOver({ handsOver: [1] })
  t.equal(other.tenures.toldUntil(1), 90_000)
})
