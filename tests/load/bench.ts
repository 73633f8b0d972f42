/** `npm run bench`: the figures of a release, on this machine, from two scenarios. Settings: `npm run bench -- --help`. */
import type { ProcessUse, RunResult } from './result.ts'
import { runScenario } from './run.ts'
import { openTarget } from './target.ts'

const setting = (name: string, fallback: number) => Number(process.env[name] ?? fallback)
const round = (value: number) => Math.round(value).toLocaleString('en')
const progress = (line: string) => process.stderr.write(`· ${line}\n`)

const target = await openTarget({
  gateways: setting('GATEWAYS', 1),
  messageServices: setting('MESSAGE_SERVICES', 1),
  groupServices: 1,
  join: process.env.RUN_JSON,
  progress,
})
try {
  // First, while the gateways' heaps are small: later they would take new connections into memory they have already.
  const idle = await run('idle', { connections: setting('CONNECTIONS', 5_000), seconds: 3, warmUp: 0 })
  const settings = { pairs: setting('PAIRS', 100), inFlight: setting('IN_FLIGHT', 4), seconds: setting('SECONDS', 15) }
  const pairs = await run('pairs', { ...settings, warmUp: 5 })
  process.stdout.write(table(pairs, idle))
} finally {
  await target.stop()
}

async function run(scenario: string, settings: Record<string, number>): Promise<RunResult> {
  const result = await runScenario(scenario, settings, { target, progress })
  if (result.verdict.clean) return result
  process.exitCode = 1
  process.stderr.write(`${scenario} did wrong:\n${result.verdict.examples.map((line) => `  ${line}\n`).join('')}`)
  return result
}

function table(pairs: RunResult, idle: RunResult): string {
  const { counts, seconds, settings, processes } = pairs
  const perDelivered = ({ cpuMicrosPerDelivered = 0 }: ProcessUse) => cpuMicrosPerDelivered
  const total = processes.reduce((sum, use) => sum + perDelivered(use), 0)
  const { connections = 0, kibPerConnection = 0 } = idle.figures ?? {}
  const rows: [string, string][] = [
    [
      `acknowledged a second, ${settings.pairs} pairs with ${settings.inFlight} in flight`,
      round(counts.acknowledged / seconds),
    ],
    ['delivered a second', round(counts.delivered / seconds)],
    ['refused', round(counts.refused)],
    ['CPU µs per delivered message, all servers', round(total)],
    ...processes.map((use): [string, string] => [`  ${use.name}`, round(perDelivered(use))]),
    [`gateway memory per idle connection, ${round(connections)} of them`, `${kibPerConnection.toFixed(1)} KiB`],
  ]
  const width = Math.max(...rows.map(([what]) => what.length))
  return `${pairs.hardware}\n\n${rows.map(([what, value]) => `${what.padEnd(width)}  ${value}\n`).join('')}`
}
