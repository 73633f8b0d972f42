import t from 'tap'
import { eventually } from '../../eventually.ts'
import { startMeasuring } from './timeline.ts'

t.test('the entries add up to what happened, and each names every process', async (t) => {
  const totals = { acknowledged: 1_000, delivered: 2_000, refused: 30 }
  let looks = 0
  const measuring = startMeasuring(
    () => {
      looks += 1
      return totals
    },
    () => [{ name: 'this one', pid: process.pid }],
  )
  totals.acknowledged += 7
  totals.delivered += 10
  await eventually(() => looks >= 3, 'two seconds are over')
  totals.refused += 2
  totals.delivered += 5
  const elapsed = measuring.elapsed()
  const { seconds, timeline, processes } = measuring.stop()
  const sum = (of: (moment: (typeof timeline)[number]) => number) => timeline.reduce((all, one) => all + of(one), 0)
  t.equal(
    sum(({ acknowledged }) => acknowledged),
    7,
  )
  t.equal(
    sum(({ delivered }) => delivered),
    15,
  )
  t.equal(
    sum(({ refused }) => refused),
    2,
  )
  t.ok(timeline.length >= 2 && timeline.every(({ residentMib }) => residentMib['this one']! > 10))
  t.ok(seconds >= elapsed && elapsed > 0)
  t.match(processes, [{ name: 'this one', cpuMicrosPerDelivered: Number }])
})

t.test('a run shorter than a second has its one entry', async (t) => {
  const measuring = startMeasuring(
    () => ({ acknowledged: 0, delivered: 0, refused: 0 }),
    () => [],
  )
  t.equal(measuring.stop().timeline.length, 1)
})
