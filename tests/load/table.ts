import { randomInt } from 'node:crypto'
import { Links, parseFault } from './faults/index.ts'
import type { Row, Size } from './profiles.ts'
import type { RunResult } from './result.ts'
import { runScenario } from './run.ts'
import { openTarget } from './target.ts'

/** What is tested are the faults, not how a supervisor slows down a process that keeps failing. */
const RESTART_WITHIN_MS = 500

export interface RowOptions {
  size: Size
  /** Made up when absent. */
  seed?: number
  progress(line: string): void
}

/** Runs one row of the fault table on a system of its own. */
export async function runRow(row: Row, { size, seed = randomInt(2 ** 31), progress }: RowOptions): Promise<RunResult> {
  const { scenario, settings, faults, messageServices, groupServices, bounds = [] } = row.profiles[size]
  const links = new Links(faults.map(parseFault), seed)
  const target = await openTarget({
    gateways: 2,
    messageServices,
    groupServices,
    restartWithinMs: RESTART_WITHIN_MS,
    links,
    progress,
  })
  try {
    return await runScenario(scenario, settings, { target, faults, seed, progress, bounds: [...row.bounds, ...bounds] })
  } finally {
    await target.stop()
  }
}

/** False on any violation, and on any bound that did not hold. */
export function passed({ verdict, bounds = [] }: RunResult): boolean {
  return verdict.clean && bounds.every(({ held }) => held)
}

/** One line that says how a run went, with its seed. */
export function lineOf(row: Row, result: RunResult): string {
  const { seed, counts, seconds, verdict, bounds = [] } = result
  const violations = Object.entries(verdict.violations).filter(([, count]) => count > 0)
  const wrong = [
    ...violations.map(([kind, count]) => `${count} ${kind}`),
    ...bounds.filter(({ held }) => !held).map(({ what, limit, found }) => `${what}: ${found}, not ${limit}`),
  ]
  const parts = [
    passed(result) ? 'clean' : 'NOT CLEAN',
    `row ${row.number}`,
    `seed ${seed}`,
    `${counts.acknowledged} acknowledged in ${seconds.toFixed(0)} s`,
    ...bounds.filter(({ held }) => held).map(({ what, found }) => `${what}: ${found}`),
    ...wrong,
  ]
  return parts.join(' · ')
}
