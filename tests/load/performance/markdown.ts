import { figure, whole } from '../report/figures.ts'
import type { RunResult } from '../result.ts'
import { figures } from './figures.ts'
import type { Plot } from './plots.ts'
import type { PerformanceRow } from './rows.ts'
import type { Summary } from './summary.ts'
import { foundIn } from './text.ts'
import { growthInWords, judgementOf, measureInWords, targetInWords } from './words.ts'

/** What docs/performance.md has between its markers, of those of the rows that were measured. `plots` are files in a folder beside it. */
export function performanceMarkdown(
  all: readonly Summary[],
  { plots, rows }: { plots: readonly Plot[]; rows: readonly PerformanceRow[] },
): string {
  const missing = rows.filter((row) => !all.some((summary) => summary.row.name === row.name))
  return [
    `On ${distinct(all, ({ hardware }) => hardware).join('; ')}.`,
    table(
      ['', '', 'target', 'measured', '', 'for comparison'],
      all.filter(({ row }) => !row.growth).flatMap(linesOfTable),
    ),
    `Out of order, lost, doubled, undelivered or anything else the checker looks for: ${wrongIn(all)}.`,
    '### Growth',
    table(['', 'what is not to grow', 'measured', ''], all.filter(({ row }) => row.growth).map(lineOfGrowth)),
    '### What a message costs',
    'CPU in microseconds, median of the runs; all instances of a service together.',
    table(['', 'per', ...costNames(all)], all.filter(({ costs }) => costs.length > 0).flatMap(linesOfCosts)),
    '### Plots',
    ...plots.map(({ file, says }) => `${says}; of each row the run in the middle.\n\n![${says}](plots/${file})`),
    '### Runs',
    table(['command', 'runs', 'date', 'commit', 'load average before', 'cores busy elsewhere'], all.map(lineOfRuns)),
    ...(missing.length > 0 ? [`Not measured yet: ${missing.map(commandFor).join(', ')}.`] : []),
  ].join('\n\n')
}

/** A line for each figure; what is said of the row as a whole stands on its first. */
function linesOfTable({ row, measured }: Summary): string[][] {
  return measured.map((measure, i) => [
    i === 0 ? row.says : '',
    figures[measure.figure].says,
    measure.target ? targetInWords(measure.target) : '',
    measureInWords(measure),
    judgementOf(measure),
    i === 0 ? (row.comparison ?? '') : '',
  ])
}

function lineOfGrowth(summary: Summary): string[] {
  const [measure] = summary.measured
  if (measure === undefined) return [summary.row.says, '', '', '']
  return [summary.row.says, figures[measure.figure].says, measureInWords(measure), growthInWords(summary)]
}

/** A line is enough where each message is delivered once. */
function linesOfCosts({ row, costs, runs }: Summary): string[][] {
  const cells = (per: 'perMessage' | 'perDelivery') =>
    costs.map((cost) => (cost[per] === undefined ? '–' : figure(cost[per])))
  const once = runs.every(({ counts }) => Math.abs(counts.delivered / counts.acknowledged - 1) < 0.05)
  const message = [`\`${row.name}\``, 'message', ...cells('perMessage')]
  return once ? [message] : [message, [`\`${row.name}\``, 'delivery', ...cells('perDelivery')]]
}

function costNames(all: readonly Summary[]): string[] {
  return all.find(({ costs }) => costs.length > 0)?.costs.map(({ of }) => of) ?? []
}

function lineOfRuns(summary: Summary): string[] {
  const { row, runs } = summary
  const of = (text: (run: RunResult) => string) => [...new Set(runs.map(text))].join(', ')
  return [
    commandFor(row),
    `${runs.length}, ${foundIn(summary)}`,
    of(({ startedAt }) => startedAt.slice(0, 10)),
    of(({ commit = '–' }) => commit),
    runs.map(({ loadAverage }) => figure(loadAverage)).join(', '),
    runs.map(({ coresElsewhere }) => figure(coresElsewhere)).join(', '),
  ]
}

function commandFor({ name }: PerformanceRow): string {
  return `\`pnpm load performance --row ${name}\``
}

function wrongIn(all: readonly Summary[]): string {
  const runs = all.flatMap((summary) => summary.runs)
  const wrong = runs.reduce((sum, { verdict }) => sum + Object.values(verdict.violations).reduce((a, b) => a + b, 0), 0)
  const checked = runs.reduce((sum, { verdict }) => sum + verdict.checked.acknowledged, 0)
  return `${whole(wrong)} in ${whole(runs.length)} runs with ${whole(checked)} acknowledged messages`
}

function distinct(all: readonly Summary[], of: (run: RunResult) => string): string[] {
  return [...new Set(all.flatMap(({ runs }) => runs.map(of)))]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
