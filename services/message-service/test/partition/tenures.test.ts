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
    t.same(tenures.settled(), [])
    t.equal(tenures.end(1), false)
  },
)

t.test('after 10 s whatever a predecessor left untold is young no more', async (t) => {
  const { clock, tenures } = begun(1, 2)
  clock.ms += 10_000
  t.same(tenures.settled(), [1, 2])
  t.equal(tenures.end(1), true)
  t.same([tenures.has(1), tenures.has(2), tenures.size], [false, true, 1])
})

t.test('what is handed over is told up to the last second, and can be handed on at once', async (t) => {
  const { clock, tenures } = begun(1, 2)
  clock.ms += 100
  tenures.handedOver([1, 7])
  clock.ms += 3_000
  t.equal(tenures.toldUntil(1), 99_100)
  t.equal(tenures.toldUntil(2), 93_100, 'of the other nobody said so')
  t.same(tenures.settled(), [1])
  t.equal(tenures.has(7), false, 'it was not ours')
})

t.test('after a death nothing counts as handed over, neither before nor in the next 10 s', async (t) => {
  const { clock, tenures } = begun(1, 2)
  tenures.handedOver([1])
  clock.ms += 1_000
  tenures.shaken()
  tenures.handedOver([2])
  t.same([tenures.toldUntil(1), tenures.toldUntil(2)], [91_000, 91_000])
  t.same(tenures.settled(), [])
  clock.ms += 10_000
  t.same(tenures.settled(), [1, 2])
})

t.test('a word that comes late moves nothing forward', async (t) => {
  const { clock, tenures } = begun(1)
  tenures.handedOver([1])
  clock.ms += 500
  tenures.handedOver([1])
  clock.ms += 100
  t.equal(tenures.toldUntil(1), 99_000)
})
