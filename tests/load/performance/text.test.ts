import t from 'tap'
import { sampleResult } from '../report/sample.ts'
import { performanceMarkdown } from './markdown.ts'
import { plotsOf } from './plots.ts'
import type { PerformanceRow } from './rows.ts'
import { commandOf } from './run-row.ts'
import { sampleRow, sampleRun, summariesOf } from './sample.ts'
import { lineOf, performanceText } from './text.ts'

const { verdict } = sampleResult()
const lost = { ...verdict, clean: false, violations: { ...verdict.violations, lost: 2 } }
const runs = [sampleRun(1_000, { commit: 'abc1234' }), sampleRun(800), sampleRun(1_250)]
const strict: PerformanceRow = {
  ...sampleRow,
  name: 'strict',
  says: 'the same, of which more is asked',
  targets: [{ figure: 'acknowledged', limit: '≥', value: 150 }],
  plot: 'throughput',
}
const growing = (name: string): PerformanceRow => ({
  ...sampleRow,
  name,
  says: `${name} of them`,
  targets: [],
  also: [],
  growth: { kind: 'users', figure: 'cpuPerMessage' },
})
const all = summariesOf(
  [sampleRow, runs],
  [strict, [sampleRun(1_000, { verdict: lost })]],
  [growing('few'), [sampleRun(1_000)]],
  [growing('many'), [sampleRun(500)]],
)

t.test('each run has a line, with what was wrong first', async (t) => {
  const line = lineOf(sampleRow, 2, sampleRun(1_000))
  t.match(line, /^clean · some-pairs, run 2 · acknowledged a second: 100 · CPU per message, all servers: 10,000 µs · /)
  t.match(line, / · load before 0.31, 0.04 cores busy elsewhere$/)
  t.match(lineOf(sampleRow, 1, sampleRun(1_000, { verdict: lost })), /^2 lost · /)
})

t.test('in a terminal each figure stands with its range, its target and whether that is met', async (t) => {
  const text = performanceText(all)
  t.match(text, /^some-pairs: some pairs, open loop\n {2}3 runs, clean; load before 0.31, 0.31, 0.31; /)
  t.match(text, /^ {2}acknowledged a second +100 \(80.0–125\) +≥ 90 +met$/m)
  t.match(text, /^ {2}acknowledged a second +100 +≥ 150 +missed, 1.50 ×$/m)
  t.match(text, /^ {2}1 runs, run 1: 2 lost; /m)
  t.match(text, /^ {2}CPU per message, all servers +20,000 µs +2.00 × the first, not flat$/m)
  t.match(text, 'CPU µs per message: all servers 10,000, gateway 9,000, mongod 1,000, load generator 5,000')
  t.notMatch(text, /NaN|undefined|Infinity/)
})

t.test('the page has targets, growth, costs and the command of every row', async (t) => {
  const rows = [...all.map(({ row }) => row), { ...sampleRow, name: 'another' }]
  const text = performanceMarkdown(all, { plots: plotsOf(all), rows })
  t.match(text, /\n\nNot measured yet: `pnpm load performance --row another`\.$/)
  t.match(text, '| some pairs, open loop | acknowledged a second | ≥ 90 | 100 (80.0–125) | met | another one 70 |')
  t.match(text, '|  | CPU per message, all servers | ≤ 80,000 µs | 10,000 µs (8,000–12,500) | met |  |')
  t.match(text, '| many of them | CPU per message, all servers | 20,000 µs | 2.00 × the first, not flat |')
  t.match(text, '| `some-pairs` | message | 10,000 | 9,000 | 1,000 | 5,000 |')
  t.match(text, '| `pnpm load performance --row strict` | 1, run 1: 2 lost |')
  t.match(text, '| abc1234, – |')
  t.match(text, /looks for: 2 in 6 runs with [\d,]+ acknowledged messages\./)
  t.match(text, '![Until a message is delivered, by percentile](plots/latency.svg)')
  t.notMatch(text, /NaN|undefined|Infinity/)
})

t.test('plots are files that stand for themselves, of the rows that are to be drawn', async (t) => {
  const plots = plotsOf(all)
  t.same(
    plots.map(({ file }) => file),
    ['latency.svg', 'throughput.svg'],
  )
  for (const { svg } of plots) {
    t.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox=[\s\S]*<style>[\s\S]*<\/svg>\n$/)
    t.notMatch(svg, /NaN|undefined|Infinity|href|<script/)
  }
  t.match(plots[0]?.svg, 'some-pairs')
  t.match(plots[1]?.svg, 'of which more is asked')
  t.same(plotsOf([]), [])
})

t.test('the command of a run has every setting that is not as it is by itself', async (t) => {
  t.equal(
    commandOf(sampleRow, 7),
    'pnpm load pairs --pairs 3 --rate 100 --both-ways --warm-up 0.5 --gateways 1 --message-services 2 --group-services 1 --seed 7',
  )
})
