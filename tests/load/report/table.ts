import type { RunResult } from '../result.ts'
import { begun } from './fault-marks.ts'
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
  { name: 'run', right: true, cell: ({ run }) => String(run) },
  { name: 'seed', right: true, cell: ({ result }) => String(result.seed) },
  { name: 'acknowledged', right: true, cell: ({ result }) => whole(result.counts.acknowledged) },
  { name: 'delivered', right: true, cell: ({ result }) => whole(result.counts.delivered) },
  { name: 'refused', right: true, cell: ({ result }) => whole(result.counts.refused) },
  { name: 'unknown', right: true, cell: ({ result }) => whole(result.counts.unknown) },
  { name: 'faults', right: true, cell: ({ result }) => whole(begun(result.faults)) },
  { name: 'seconds', right: true, cell: ({ result }) => whole(result.seconds) },
  { name: 'found', right: false, cell: ({ result }) => failureInWords(result) || 'clean' },
]

/** For a terminal: the runs of each fault below its name, a line for each, and one line that sums up. */
export function seriesText(runs: readonly SeriesRun[]): string {
  const head = COLUMNS.map(({ name }) => name)
  const rows = new Map(runs.map((run) => [run, COLUMNS.map(({ cell }) => cell(run))]))
  const widths = head.map((name, i) => Math.max(name.length, ...[...rows.values()].map((row) => (row[i] ?? '').length)))
  const line = (row: readonly string[]) =>
    `  ${row.map((text, i) => (COLUMNS[i]?.right ? text.padStart(widths[i] ?? 0) : text)).join('  ')}`
  const faults = [...byFault(runs)].map(([fault, of]) =>
    [fault, ...of.map((run) => line(rows.get(run) ?? []))].join('\n'),
  )
  return `${line(head)}\n${faults.join('\n')}\n\n${summary(runs)}\n`
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
<section class="card"><h2>By fault</h2>${faultsTable(runs)}</section>
<section class="card"><h2>Every run</h2>${runsTable(runs)}</section>`,
  )
}

function summary(runs: readonly SeriesRun[]): string {
  const good = runs.filter(({ result }) => passed(result)).length
  const acknowledged = whole(runs.reduce((sum, { result }) => sum + result.counts.acknowledged, 0))
  return `${good} of ${runs.length} runs passed, ${acknowledged} acknowledged messages checked in all.`
}

function byFault(runs: readonly SeriesRun[]): Map<string, SeriesRun[]> {
  return Map.groupBy(runs, ({ fault }) => fault)
}

function faultsTable(runs: readonly SeriesRun[]): Markup {
  const sum = (of: readonly SeriesRun[], count: (result: RunResult) => number) =>
    of.reduce((all, { result }) => all + count(result), 0)
  return html`<div class="wide"><table><thead><tr><th>fault</th>${['passed', 'faults', 'acknowledged', 'delivered', 'refused', 'in all'].map((name) => html`<th class="number">${name}</th>`)}</tr></thead>
<tbody>${[...byFault(runs)].map(([fault, of]) => {
    const good = of.filter(({ result }) => passed(result)).length
    return html`<tr><td>${fault}</td><td class="number ${good === of.length ? 'good' : 'bad'}">${good} of ${of.length}</td><td class="number">${whole(sum(of, ({ faults }) => begun(faults)))}</td><td class="number">${whole(sum(of, ({ counts }) => counts.acknowledged))}</td><td class="number">${whole(sum(of, ({ counts }) => counts.delivered))}</td><td class="number">${whole(sum(of, ({ counts }) => counts.refused))}</td><td class="number">${duration(sum(of, ({ seconds }) => seconds))}</td></tr>`
  })}</tbody></table></div>`
}

function runsTable(runs: readonly SeriesRun[]): Markup {
  const cell = (column: Column, run: SeriesRun) =>
    html`<td class="${column.right ? 'number' : ''}${passed(run.result) ? '' : ' bad'}">${column.cell(run)}</td>`
  return html`<div class="wide"><table><thead><tr>${COLUMNS.map(({ name, right }) => html`<th class="${right ? 'number' : ''}">${name}</th>`)}</tr></thead>
${[...byFault(runs)].map(
  ([fault, of]) => html`<tbody><tr><th class="group" colspan="${COLUMNS.length}">${fault}</th></tr>
${of.map((run) => html`<tr>${COLUMNS.map((column) => cell(column, run))}</tr>`)}</tbody>`,
)}</table></div>`
}
