import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { sampleResult } from './sample.ts'
import { saveRun, saveSeries } from './save.ts'
import { type SeriesRun, seriesPage, seriesText } from './table.ts'
import { runText } from './text.ts'

const { verdict } = sampleResult()
const lost = { ...verdict, clean: false, violations: { ...verdict.violations, lost: 2, senderInversions: 1 } }
const broken = [{ what: 'exit code of <gateway-1>', limit: '0', found: '1', held: false }]
const runs: SeriesRun[] = [
  { fault: 'kills', run: 1, result: sampleResult({ seed: 11 }) },
  { fault: 'kills', run: 2, result: sampleResult({ seed: 12, verdict: lost }) },
  { fault: 'rolling restart', run: 1, result: sampleResult({ seed: 13, bounds: broken }) },
  { fault: 'rolling restart', run: 2, result: sampleResult({ seed: 14, seconds: 3_700 }) },
]

t.test('in a terminal the runs of each fault stand together, with seed and what was found, in columns', async (t) => {
  const [one, two, three, four] = runs as [SeriesRun, SeriesRun, SeriesRun, SeriesRun]
  const [head = '', ...lines] = seriesText([one, three, two, four]).split('\n')
  t.match(head, /^ +run +seed +acknowledged +delivered +refused +unknown +faults +seconds +found$/)
  t.equal(lines[0], 'kills')
  t.match(lines[1], /^ +1 +11 +23[\d,]+ .* 4 +120 +clean$/)
  t.match(lines[2], /^ +2 +12 .*2 lost, 1 out of its sender’s order$/)
  t.equal(lines[3], 'rolling restart')
  t.match(lines[4], /exit code of <gateway-1>: 1, not 0$/)
  t.match(lines[5], / 3,700 +clean$/)
  const columns = [head, ...lines.slice(1, 3), ...lines.slice(4, 6)]
  t.equal(new Set(columns.map((line) => line.search(/(found|clean|2 lost|exit code).*$/))).size, 1)
  t.match(lines[7], /^2 of 4 runs passed, /)
})

t.test('the page sums up each fault and lists every run below it; texts are escaped', async (t) => {
  const page = seriesPage(runs)
  t.match(page, /verdict failed/)
  t.match(page, /<td>kills<\/td><td class="number bad">1 of 2<\/td><td class="number">8<\/td>/)
  t.match(page, 'exit code of &lt;gateway-1&gt;: 1, not 0')
  t.notMatch(page, '<gateway-1>')
  t.notMatch(page, /https?:|<script|<link|\bsrc=|NaN|undefined/)
  t.match(seriesPage(runs.filter(({ run }, i) => run === 1 && i === 0)), /verdict clean/)
})

t.test('one run in a terminal ends with whether it passed', async (t) => {
  t.match(runText(sampleResult()).trimEnd().split('\n').at(-1), /^clean: [\d,]+ acknowledged/)
  t.match(
    runText(sampleResult({ verdict: lost }))
      .trimEnd()
      .split('\n')
      .at(-1),
    /^FAILED: 2 lost, 1 out of/,
  )
  t.match(runText(sampleResult({ bounds: broken })), /BROKEN: exit code of <gateway-1>: 1 \(0\)\nFAILED: /)
})

t.test('reports are written into a directory that is made for them', async (t) => {
  const directory = join(t.testdir(), 'a', 'b')
  const [json = '', page = ''] = await saveRun(sampleResult(), directory, 'pairs-11')
  t.equal(JSON.parse(await readFile(json, 'utf8')).scenario, 'pairs')
  t.match(await readFile(page, 'utf8'), /^<!doctype html>/)
  const [text = ''] = await saveSeries(runs, directory, 'faults')
  t.equal(await readFile(text, 'utf8'), seriesText(runs))
})
