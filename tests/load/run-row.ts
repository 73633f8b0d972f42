import { randomInt } from 'node:crypto'
import { Links, parseFault } from './faults/index.ts'
import type { Row, Size } from './profiles.ts'
import { failureInWords } from './report/violations.ts'
import type { RunResult } from './result.ts'
import { runScenario } from './run.ts'
import { type Interrupts, OWN_SERVERS, withTarget } from './target.ts'

/** What is tested are the faults, not how a supervisor slows down a process that keeps failing. */
const RESTART_WITHIN_MS = 500

export interface RowOptions extends Interrupts {
  size: Size
  /** Made up when absent. */
  seed?: number
  progress(line: string): void
}

/** Runs one row of the fault table on a system of its own. */
export async function runRow(row: Row, options: RowOptions): Promise<RunResult> {
  const { size, seed = randomInt(2 ** 31), progress } = options
  const { scenario, settings, faults, messageServices, groupServices, bounds } = row.profiles[size]
  const links = new Links(faults.map(parseFault), seed)
  const system = {
    ...options,
    gateways: 2,
    messageServices,
    groupServices,
    restartWithinMs: RESTART_WITHIN_MS,
    env: OWN_SERVERS,
    links,
  }
  return withTarget(system, (target) => runScenario(scenario, settings, { target, faults, seed, progress, bounds }))
}

/** `clean` or what was wrong, then the seed to repeat it with, and what was found. */
export function lineOf(row: Row, result: RunResult): string {
  const { seed, counts, seconds, bounds = [] } = result
  const parts = [
    failureInWords(result) || 'clean',
    `row ${row.number}`,
    `seed ${seed}`,
    `${counts.acknowledged} acknowledged in ${seconds.toFixed(0)} s`,
    ...bounds.filter(({ held }) => held).map(({ what, found }) => `${what}: ${found}`),
  ]
  return parts.join(' · ')
}
