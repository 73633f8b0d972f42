import { randomInt } from 'node:crypto'
import { commit } from '../measure/commit.ts'
import { loadAverage } from '../measure/hardware.ts'
import { kebab } from '../options.ts'
import type { RunResult } from '../result.ts'
import { runScenario } from '../run.ts'
import { type Interrupts, OWN_SERVERS, withTarget } from '../target.ts'
import type { PerformanceRow } from './rows.ts'

export interface RunRowOptions extends Interrupts {
  progress(line: string): void
}

/** Runs one row of the performance table once, on a system of its own: without rate limits, everything else as it is by itself. */
export async function runPerformanceRow(row: PerformanceRow, options: RunRowOptions): Promise<RunResult> {
  const { scenario, settings, gateways, messageServices, groupServices } = row
  const seed = randomInt(2 ** 31)
  // Before the start of a system is part of it.
  const before = loadAverage()
  const of = commit()
  const result = await withTarget(
    { ...options, gateways, messageServices, groupServices, env: OWN_SERVERS },
    (target) => runScenario(scenario, settings, { target, seed, progress: options.progress }),
  )
  return { ...result, loadAverage: before, command: commandOf(row, seed), ...(of !== undefined && { commit: of }) }
}

/** The one run, to be typed: for a profile, or other settings. */
export function commandOf(row: PerformanceRow, seed: number): string {
  const settings: [string, number | boolean][] = Object.entries({
    ...row.settings,
    gateways: row.gateways,
    messageServices: row.messageServices,
    groupServices: row.groupServices,
    seed,
  })
  const options = settings.flatMap(([name, value]) => {
    if (value === false) return []
    return [value === true ? `--${kebab(name)}` : `--${kebab(name)} ${value}`]
  })
  return `pnpm load ${row.scenario} ${options.join(' ')}`
}
