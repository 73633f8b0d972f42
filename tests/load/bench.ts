/** `npm run bench`: the figures of a release, on this machine. Settings are listed by `npm run bench -- --help`. */
import { runIdle } from './idle.ts'
import { hardware } from './measure/hardware.ts'
import { runPairs } from './pairs.ts'
import { openTarget } from './target.ts'

const setting = (name: string, fallback: number) => Number(process.env[name] ?? fallback)
const round = (value: number) => Math.round(value).toLocaleString('en')

const target = await openTarget()
try {
  const options = {
    pairs: setting('PAIRS', 100),
    inFlight: setting('IN_FLIGHT', 4),
    warmUpMs: 5_000,
    measureMs: setting('SECONDS', 15) * 1_000,
    size: 120,
  }
  // First, while the gateways' heaps are small: later they would take new connections into memory they have already.
  const idle = await runIdle(target, setting('CONNECTIONS', 5_000))
  const pairs = await runPairs(target, options)
  const total = Object.values(pairs.cpuPerDelivered).reduce((sum, cpu) => sum + cpu, 0)
  const rows: [string, string][] = [
    [
      `acknowledged a second, ${options.pairs} pairs with ${options.inFlight} in flight`,
      round(pairs.acknowledgedPerSecond),
    ],
    ['delivered a second', round(pairs.deliveredPerSecond)],
    ['refused', round(pairs.refused)],
    ['CPU µs per delivered message, all servers', round(total)],
    ...Object.entries(pairs.cpuPerDelivered).map(([name, cpu]): [string, string] => [`  ${name}`, round(cpu)]),
    [
      `gateway memory per idle connection, ${round(idle.connections)} of them`,
      `${idle.kibPerConnection.toFixed(1)} KiB`,
    ],
  ]
  const width = Math.max(...rows.map(([what]) => what.length))
  process.stdout.write(`${hardware()}\n\n${rows.map(([what, value]) => `${what.padEnd(width)}  ${value}\n`).join('')}`)
} finally {
  await target.stop()
}
