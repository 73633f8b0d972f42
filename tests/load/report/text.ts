import type { GeneratorUse, RunResult } from '../result.ts'
import { begun } from './fault-marks.ts'
import { duration, figure, whole } from './figures.ts'
import { failureInWords } from './violations.ts'

/** One run for a terminal: what happened, how long it took, what it cost, and last whether it passed. */
export function runText(result: RunResult): string {
  const { scenario, seed, seconds, counts, latency, processes, faults, verdict, bounds = [], figures = {} } = result
  const { generator, coresElsewhere } = result
  const rate = (count: number) => (seconds > 0 ? figure(count / seconds) : '0')
  const failure = failureInWords(result)
  const lines = [
    `${scenario}, seed ${seed}, ${duration(seconds)} measured, ${whole(begun(faults))} faults`,
    `  ${whole(counts.attempted)} attempted, ${whole(counts.acknowledged)} acknowledged (${rate(counts.acknowledged)} a second), ${whole(counts.refused)} refused, ${whole(counts.unknown)} without an outcome`,
    `  ${whole(counts.delivered)} shown to clients (${rate(counts.delivered)} a second)`,
    ...Object.entries(latency).map(
      ([name, { p50, p90, p99, p999, most }]) =>
        `  ${name}: p50 ${figure(p50)}, p90 ${figure(p90)}, p99 ${figure(p99)}, p99.9 ${figure(p999)}, most ${figure(most)} ms`,
    ),
    ...processes.map((use) => `  ${use.name}: ${perDelivered(use)}at most ${whole(use.residentMib.most)} MiB`),
    `  load generator: ${perDelivered(generator)}${figure(coresElsewhere)} cores busy with anything else`,
    ...Object.entries(figures).map(([name, value]) => `  ${name}: ${figure(value)}`),
    ...bounds.map(({ what, limit, found, held }) => `  ${held ? 'held' : 'BROKEN'}: ${what}: ${found} (${limit})`),
    ...verdict.examples.map((example) => `  ! ${example}`),
    failure === ''
      ? `clean: ${whole(verdict.checked.acknowledged)} acknowledged, ${whole(verdict.checked.stored)} stored and ${whole(verdict.checked.shown)} shown messages checked`
      : `FAILED: ${failure}`,
  ]
  return `${lines.join('\n')}\n`
}

function perDelivered({ cpuMicrosPerDelivered: micros }: GeneratorUse): string {
  return micros === undefined ? '' : `${figure(micros)} µs CPU per delivered message, `
}
