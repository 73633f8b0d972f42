import t from 'tap'
import type { Percentiles, ProcessUse, RunResult } from '../result.ts'
import { runPage } from './html.ts'
import { sampleResult } from './sample.ts'

const page = runPage(sampleResult())

t.test('the page names the run, its settings and every figure', async (t) => {
  const { counts, seed, hardware } = sampleResult()
  const named = ['Load run: pairs', `seed ${seed}`, hardware, 'rate a second', '2000', 'load average before', 'Clean.']
  for (const count of [counts.attempted, counts.acknowledged, counts.delivered]) named.push(count.toLocaleString('en'))
  for (const name of ['acknowledged', 'delivered', 'replayed', 'p99.9', 'mongod', 'message-service-2', 'CPU µs per'])
    named.push(name)
  for (const text of named) t.ok(page.includes(text), text)
  t.match(page, /<td>replayed<\/td><td class="number">12<\/td><td class="number">120<\/td><td class="number">310<\/td>/)
})

t.test('each fault is a mark in every plot over time, and a row that says what it was', async (t) => {
  const { faults, processes } = sampleResult()
  const plots = 1 + processes.length
  t.equal(page.split('<g class="mark">').length - 1, faults.length * plots)
  for (const { what } of faults) t.ok(page.includes(`<td>${what}</td>`), what)
})

t.test('where something works again is another mark than where it began to fail', async (t) => {
  const healed = runPage(
    sampleResult({
      faults: [
        { at: 1, what: 'kill -STOP mongod (pid 1) for 2 s' },
        { at: 3, what: 'kill -CONT mongod (pid 1)', over: true },
      ],
    }),
  )
  const plots = 1 + sampleResult().processes.length
  t.equal(healed.split('<g class="mark">').length - 1, plots)
  t.equal(healed.split('<g class="mark over">').length - 1, plots)
  t.match(healed, 'with 1 faults')
})

t.test('what to type to run it again is there', async (t) => {
  const command = 'pnpm load pairs --rate 500 --fault kill:services --seed 7'
  t.match(runPage(sampleResult({ command })), `<code>${command}</code>`)
})

t.test('figures that only one scenario has are named', async (t) => {
  t.match(runPage(sampleResult({ figures: { kibPerConnection: 20.56 } })), '<dt>kibPerConnection</dt><dd>20.6</dd>')
  t.notMatch(page, 'Of this scenario')
})

t.test('latencies of every run stand first', async (t) => {
  const names = (text: string) =>
    [...text.matchAll(/<tr><td>(acknowledged|delivered|connected|other)<\/td>/g)].map(([, name]) => name)
  const { acknowledged, delivered } = sampleResult().latency as { acknowledged: Percentiles; delivered: Percentiles }
  const mixed = runPage(sampleResult({ latency: { other: delivered, connected: delivered, delivered, acknowledged } }))
  t.strictSame(names(mixed), ['acknowledged', 'delivered', 'connected', 'other'])
})

t.test('instances of one service stand together, also those that came later', async (t) => {
  const [one] = sampleResult().processes as [ProcessUse]
  const processes = ['gateway-1', 'message-service-1', 'mongod', 'message-service-2'].map((name) => ({ ...one, name }))
  const names = [...runPage(sampleResult({ processes })).matchAll(/CPU and memory of ([\w-]+)"/g)].map(
    ([, name]) => name,
  )
  t.strictSame(names, ['gateway-1', 'message-service-1', 'message-service-2', 'mongod'])
})

t.test('a process that was away has a gap in its lines', async (t) => {
  const plotOf = (name: string) =>
    new RegExp(`aria-label="CPU and memory of ${name}">.*?</svg>`, 's').exec(page)?.[0] ?? ''
  const lines = (name: string) => plotOf(name).split('class="line"').length - 1
  t.equal(lines('message-service-2'), 2, 'CPU and memory')
  t.equal(lines('message-service-1'), 2 * (1 + sampleResult().faults.length))
})

t.test('violations, broken bounds and examples are shown, and a text is never markup', async (t) => {
  const evil = `<script>alert("1")</script> & 'more'`
  const { verdict } = sampleResult()
  const failed = runPage(
    sampleResult({
      scenario: evil,
      settings: { [evil]: evil },
      verdict: {
        ...verdict,
        clean: false,
        violations: { ...verdict.violations, lost: 3, leaked: 1_200 },
        examples: [`lost: ${evil}`],
      },
      bounds: [
        { what: 'the others took over', limit: '≤ 5 s', found: '2.1 s', held: true },
        { what: evil, limit: '0', found: evil, held: false },
      ],
      faults: [{ at: 3, what: evil }],
      latency: { [evil]: { count: 2_000, p50: 1, p90: 2, p99: 3, p999: 4, most: 5 } },
    }),
  )
  t.match(failed, /<div class="verdict failed"><strong>Failed\.<\/strong> 3 lost, 1,200 leaked; /)
  t.match(failed, /<td class="number bad">1,200<\/td>/)
  t.match(failed, /the others took over<\/td><td class="number">≤ 5 s<\/td><td class="number good">2\.1 s/)
  t.notMatch(failed, '<script')
  t.equal(failed.split('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;more&#39;').length > 8, true)
  t.notMatch(failed, 'Clean.')
})

t.test('the page needs nothing from elsewhere', async (t) => {
  t.notMatch(page, /https?:|\/\/\w|<link|<script|<img|@import|url\(|\bsrc=|\bhref=/)
})

t.test('a run in which nothing happened still makes a page', async (t) => {
  const nothing: Partial<RunResult> = {
    seconds: 0,
    counts: { attempted: 0, acknowledged: 0, refused: 0, unknown: 0, delivered: 0, retried: 0 },
    latency: { acknowledged: { count: 0, p50: 0, p90: 0, p99: 0, p999: 0, most: 0, curve: [] } },
    processes: [{ name: 'gateway-1', cpuSeconds: 0, residentMib: { first: 0, last: 0, most: 0 } }],
    timeline: [],
    faults: [],
  }
  for (const changes of [nothing, { ...nothing, processes: [], latency: {} }]) {
    t.notMatch(runPage(sampleResult(changes)), /NaN|Infinity|undefined|null/)
  }
})

t.test('no figure of a page is one that cannot be', async (t) => {
  t.notMatch(page, /NaN|Infinity|undefined|null/)
})
