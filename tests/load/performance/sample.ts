import { sampleResult } from '../report/sample.ts'
import type { RunResult } from '../result.ts'
import type { PerformanceRow } from './rows.ts'
import { type Summary, summaries } from './summary.ts'

/** A row of which the middle of three made-up runs reaches one target and misses the other. */
export const sampleRow: PerformanceRow = {
  name: 'some-pairs',
  says: 'some pairs, open loop',
  scenario: 'pairs',
  settings: { pairs: 3, rate: 100, bothWays: true, reads: false, warmUp: 0.5 },
  gateways: 1,
  messageServices: 2,
  groupServices: 1,
  targets: [
    { figure: 'acknowledged', limit: '≥', value: 90 },
    { figure: 'cpuPerMessage', limit: '≤', value: 80_000 },
  ],
  also: ['deliverP99'],
  comparison: 'another one 70',
  plot: 'latency',
}

/** So many acknowledged and delivered in ten seconds, for ten seconds of one core in all. */
export function sampleRun(acknowledged: number, changes: Partial<RunResult> = {}): RunResult {
  const residentMib = { first: 1, last: 1, most: 1 }
  const result = sampleResult(changes)
  return {
    ...result,
    seconds: 10,
    counts: { ...result.counts, acknowledged, delivered: acknowledged, ...changes.counts },
    processes: [
      { name: 'gateway-1', cpuSeconds: 6, residentMib },
      { name: 'gateway-2', cpuSeconds: 3, residentMib },
      { name: 'mongod', cpuSeconds: 1, residentMib },
    ],
    generator: { cpuSeconds: 5 },
  }
}

/** Of rows with their runs. */
export function summariesOf(...rows: readonly (readonly [PerformanceRow, readonly RunResult[]])[]): Summary[] {
  return summaries(
    rows.map(([row]) => row),
    new Map(rows.map(([row, runs]) => [row.name, runs])),
  )
}
