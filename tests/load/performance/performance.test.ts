import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { measureRows } from './command.ts'
import { KeptRuns } from './kept-runs.ts'
import { type PerformanceRow, performanceRows } from './rows.ts'
import { summaries } from './summary.ts'
import { writePerformance } from './write.ts'

t.setTimeout(5 * 60_000)

const tiny = { warmUp: 0.5, seconds: 1 }

/** A row as it stands, with next to no load. */
function small(name: string, settings: PerformanceRow['settings']): PerformanceRow {
  const row = performanceRows.find((one) => one.name === name)
  if (row === undefined) throw new Error(`there is no row ${name}`)
  return { ...row, settings: { ...row.settings, ...tiny, ...settings } }
}

t.test('rows are measured on systems of their own, and what was found is written down', async (t) => {
  const docs = t.testdir({ 'performance.md': 'before\n<!-- measured -->\nold\n<!-- end -->\nafter\n' })
  const out = join(docs, 'runs')
  const rows = [small('pairs-4', { pairs: 3 }), small('processes-2', { pairs: 3, rate: 50 })]
  const said: string[] = []
  const clean = await measureRows(rows, { times: 1, out, say: (line) => said.push(line) })
  t.equal(clean, true, said.join('\n'))
  t.same(
    said.map((line) => line.split(', run')[0]),
    ['clean · pairs-4', 'clean · processes-2'],
  )
  t.same((await readdir(out)).sort(), ['pairs-4-1.html', 'pairs-4-1.json', 'processes-2-1.html', 'processes-2-1.json'])

  const kept = new KeptRuns(out)
  const runs = await kept.all()
  const [scaled] = runs.get('processes-2') ?? []
  t.match(scaled, {
    command: /^pnpm load pairs .*--gateways 2 --message-services 2/,
    generator: { cpuSeconds: Number },
  })
  for (const name of ['gateway-2', 'message-service-2', 'mongod', 'nats-server', 'redis-server'])
    t.ok(
      scaled?.processes.some((process) => process.name === name),
      name,
    )

  await writePerformance(summaries(rows, runs), { docs, rows })
  const page = await readFile(join(docs, 'performance.md'), 'utf8')
  t.match(page, /^before\n<!-- measured -->\nOn .*\n<!-- end -->\nafter\n$/s)
  t.match(page, '| `pnpm load performance --row pairs-4` | 1, clean |')
  t.notMatch(page, 'old')
  t.same(await readdir(join(docs, 'plots')), ['throughput.svg'])

  await kept.drop(rows[0] as PerformanceRow)
  t.same([...(await kept.all()).keys()], ['processes-2'])
})

t.test('a page without a place for the table stays as it is', async (t) => {
  const docs = t.testdir({ 'performance.md': 'nothing' })
  await t.rejects(writePerformance([], { docs, rows: [] }), { message: /no place for the table/ })
  t.equal(await readFile(join(docs, 'performance.md'), 'utf8'), 'nothing')
})
