import { figure, whole } from '../report/figures.ts'
import { failureInWords } from '../report/violations.ts'
import type { RunResult } from '../result.ts'
import { figures } from './figures.ts'
import type { PerformanceRow } from './rows.ts'
import { type Cost, type Summary, summaries } from './summary.ts'
import { growthInWords, judgementOf, measureInWords, targetInWords } from './words.ts'

/** One run, as soon as it is over. */
export function lineOf(row: PerformanceRow, run: number, result: RunResult): string {
  const [summary] = summaries([row], new Map([[row.name, [result]]]))
  const parts = [
    failureInWords(result) || 'clean',
    `${row.name}, run ${run}`,
    ...(summary?.measured ?? []).map((measure) => `${figures[measure.figure].says}: ${measureInWords(measure)}`),
    `load before ${figure(result.loadAverage)}, ${figure(result.coresElsewhere)} cores busy elsewhere`,
  ]
  return parts.join(' · ')
}

/** For a terminal: each row with its figures, a line for each, then what a message costs which process. */
export function performanceText(all: readonly Summary[]): string {
  const lines = all.flatMap((summary) => [
    `${summary.row.name}: ${summary.row.says}`,
    `  ${whole(summary.runs.length)} runs, ${foundIn(summary)}; load before ${summary.runs.map(({ loadAverage }) => figure(loadAverage)).join(', ')}; cores busy elsewhere ${summary.runs.map(({ coresElsewhere }) => figure(coresElsewhere)).join(', ')}`,
    ...columns(
      summary.measured.map((measure) => [
        figures[measure.figure].says,
        measureInWords(measure),
        measure.target ? targetInWords(measure.target) : '',
        judgementOf(measure) || (measure.figure === summary.row.growth?.figure ? growthInWords(summary) : ''),
      ]),
    ),
    ...costsInWords(summary.costs),
    '',
  ])
  return `${lines.join('\n')}\n`
}

/** `clean`, or what was wrong with which run. */
export function foundIn({ runs }: Pick<Summary, 'runs'>): string {
  const wrong = runs.flatMap((run, i) => {
    const failure = failureInWords(run)
    return failure === '' ? [] : [`run ${i + 1}: ${failure}`]
  })
  return wrong.length === 0 ? 'clean' : wrong.join('; ')
}

function costsInWords(costs: readonly Cost[]): string[] {
  const line = (per: 'perMessage' | 'perDelivery') =>
    costs.map((cost) => `${cost.of} ${figure(cost[per] ?? 0)}`).join(', ')
  if (costs.length === 0) return []
  return [`  CPU µs per message: ${line('perMessage')}`, `  CPU µs per delivery: ${line('perDelivery')}`]
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1, 2].map((i) => Math.max(0, ...rows.map((row) => (row[i] ?? '').length)))
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd())
}
