import type { RunResult } from '../result.ts'
import { duration, whole } from './figures.ts'
import { html, type Markup } from './markup.ts'
import { page } from './page.ts'
import { failureInWords, passed } from './violations.ts'

/** One run of one row of the fault table. */
export interface SeriesRun {
  fault: string
  /** 1 for the first time this row was run. */
  run: number
  result: RunResult
}

interface Column {
  name: string
  right: boolean
  cell(run: SeriesRun): string
}

const COLUMNS: readonly Column[] = [
  { name: 'fault', right: false, cell: ({ fault }) => fault },
  { name: 'run', right: true, cell: ({ run }) => String(run) },
  { name: 'seed', right: true, cell: ({ result }) => String(result.seed) },
  { name: 'acknowledged', right: true, cell: ({ result }) => whole(result.counts.acknowledged) },
  { name: 'delivered', right: true, cell: ({ result }) => whole(result.counts.delivered) },
  { name: 'refused', right: true, cell: ({ result }) => whole(result.counts.refused) },
  { name: 'unknown', right: true, cell: ({ result }) => whole(result.counts.unknown) },
  { name: 'faults', right: true, cell: ({ result }) => whole(result.faults.length) },
  { name: 'seconds', right: true, cell: ({ result }) => whole(result.seconds) },
  { name: 'found', right: false, cell: ({ result }) => failureInWords(result) || 'clean' },
]

/** For a terminal: a line for each run, and one that sums up. */
export function seriesText(runs: readonly SeriesRun[]): string {
  const rows = [COLUMNS.map(({ name }) => name), ...runs.map((run) => COLUMNS.map(({ cell }) => cell(run)))]
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)))
  const lines = rows.map((row) =>
    row
      .map((text, i) => (COLUMNS[i]?.right ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n\n${summary(runs)}\n`
}

/** The same as a page, with a table of the rows of the fault table in front. */
export function seriesPage(runs: readonly SeriesRun[]): string {
  const failed = runs.filter(({ result }) => !passed(result))
  const first = runs[0]?.result
  return page(
    'The fault table',
    html`<h1>The fault table</h1>
<p class="under">${first && html`${first.startedAt.slice(0, 10)}, ${first.hardware}`}</p>
<div class="verdict ${failed.length === 0 ? 'clean' : 'failed'}"><strong>${failed.length === 0 ? 'Clean.' : 'Failed.'}</strong> ${summary(runs)}</div>
<section class="card"><h2>By fault</h2>${byFault(runs)}</section>
<section class="card"><h2>Every run</h2>${everyRun(runs)}</section>`,
  )
}

function summary(runs: readonly SeriesRun[]): string {
  const good = runs.filter(({ result }) => passed(result)).length
  const acknowledged = whole(runs.reduce((sum, { result }) => sum + result.counts.acknowledged, 0))
  return `${good} of ${runs.length} runs passed, ${acknowledged} acknowledged messages checked in all.`
}

function byFault(runs: readonly SeriesRun[]): Markup {
  const groups = [...Map.groupBy(runs, ({ fault }) => fault)]
  const sum = (of: readonly SeriesRun[], count: (result: RunResult) => number) =>
    of.reduce((all, { result }) => all + count(result), 0)
  return html`<div class="wide"><table><thead><tr><th>fault</th>${['passed', 'faults', 'acknowledged', 'delivered', 'refused', 'in all'].map((name) => html`<th class="number">${name}</th>`)}</tr></thead>
<tbody>${groups.map(([fault, of]) => {
    const good = of.filter(({ result }) => passed(result)).length
    return html`<tr><td>${fault}</td><td class="number ${good === of.length ? 'good' : 'bad'}">${good} of ${of.length}</td><td class="number">${whole(sum(of, ({ faults }) => faults.length))}</td><td class="number">${whole(sum(of, ({ counts }) => counts.acknowledged))}</td><td class="number">${whole(sum(of, ({ counts }) => counts.delivered))}</td><td class="number">${whole(sum(of, ({ counts }) => counts.refused))}</td><td class="number">${duration(sum(of, ({ seconds }) => seconds))}</td></tr>`
  })}</tbody></table></div>`
}

function everyRun(runs: readonly SeriesRun[]): Markup {
  const classOf = ({ right }: Column, run?: SeriesRun) =>
    `${right ? 'number' : ''}${run && !passed(run.result) ? ' bad' : ''}`.trim()
  return html`<div class="wide"><table><thead><tr>${COLUMNS.map((column) => html`<th class="${classOf(column)}">${column.name}</th>`)}</tr></thead>
<tbody>${runs.map((run) => html`<tr>${COLUMNS.map((column) => html`<td class="${classOf(column, run)}">${column.cell(run)}</td>`)}</tr>`)}</tbody></table></div>`
}
