import t from 'tap'
import { sampleResult } from '../report/sample.ts'
import type { PerformanceRow } from './rows.ts'
import { sampleRow, sampleRun, summariesOf } from './sample.ts'
import { middleRun, type Summary } from './summary.ts'

const runs = [sampleRun(1_000), sampleRun(800), sampleRun(1_250)]
const [summary] = summariesOf([sampleRow, runs]) as [Summary]

t.test('a target is held by the median, in its direction', async (t) => {
  const [acknowledged, cpu, other] = summary.measured
  t.match(acknowledged, {
    figure: 'acknowledged',
    spread: { median: 100, least: 80, most: 125 },
    target: { met: true },
  })
  t.match(cpu, {
    figure: 'cpuPerMessage',
    spread: { median: 10_000, least: 8_000, most: 12_500 },
    target: { met: true },
  })
  t.match(other, { figure: 'deliverP99', target: undefined })
  const strict = { ...sampleRow, targets: [{ figure: 'acknowledged', limit: '≥', value: 150 } as const] }
  t.match(summariesOf([strict, runs])[0]?.measured[0]?.target, { met: false, off: 1.5 })
  const cheap = { ...sampleRow, targets: [{ figure: 'cpuPerMessage', limit: '≤', value: 8_000 } as const] }
  t.match(summariesOf([cheap, runs])[0]?.measured[0]?.target, { met: false, off: 1.25 })
})

t.test(
  'costs are those of each service with all its instances, of all servers, and of the load generator',
  async (t) => {
    t.strictSame(
      summary.costs.map(({ of, perMessage }) => [of, perMessage]),
      [
        ['all servers', 10_000],
        ['gateway', 9_000],
        ['mongod', 1_000],
        ['load generator', 5_000],
      ],
    )
    const silent = { ...sampleRow, targets: [] }
    t.strictSame(summariesOf([silent, runs])[0]?.costs, [], 'of a row that is not about them there are none')
  },
)

t.test('one run with a violation spoils the row', async (t) => {
  t.equal(summary.clean, true)
  const { verdict } = sampleResult()
  const wrong = sampleRun(1_000, { verdict: { ...verdict, clean: false } })
  t.equal(summariesOf([sampleRow, [...runs, wrong]])[0]?.clean, false)
})

t.test('growth is told against the first of its kind, as far as that was measured', async (t) => {
  const row = (name: string): PerformanceRow => {
    const growth = { kind: 'users', figure: 'cpuPerMessage' } as const
    return { ...sampleRow, name, targets: [], also: [], growth }
  }
  const all = summariesOf([row('a'), [sampleRun(1_000)]], [row('b'), [sampleRun(900)]], [row('c'), [sampleRun(500)]])
  t.strictSame(
    all.map(({ growth }) => growth),
    [
      { ratio: 1, flat: true },
      { ratio: 10 / 9, flat: true },
      { ratio: 2, flat: false },
    ],
  )
  const [only] = summariesOf([row('a'), []], [row('b'), [sampleRun(900)]])
  t.equal(only?.row.name, 'b')
  t.equal(only?.growth, undefined)
})

t.test('the run in the middle is drawn', async (t) => {
  t.equal(middleRun({ ...summary, row: { ...sampleRow, plot: 'throughput' } })?.counts.acknowledged, 1_000)
})

t.test('what a run does not have is no figure', async (t) => {
  const row = { ...sampleRow, targets: [{ figure: 'boundPerSecond', limit: '≥', value: 4_000 } as const], also: [] }
  t.strictSame(summariesOf([row, runs])[0]?.measured, [])
})
