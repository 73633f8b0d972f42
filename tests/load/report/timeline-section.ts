import type { FaultEvent, RunResult } from '../result.ts'
import { begun, marksOf } from './fault-marks.ts'
import { clock, figure, whole } from './figures.ts'
import { html, type Markup } from './markup.ts'
import { ratesOf } from './rate.ts'
import { type Panel, timePlot } from './time-plot.ts'

/** The longest list of faults that is open when the page is. */
const FAULTS_OPEN = 12

/** What happened each second, and where the faults were. */
export function timelineSection({ timeline, faults, seconds }: RunResult): Markup {
  const panels: Panel[] = (['acknowledged', 'delivered', 'refused'] as const).map((counted, i) => ({
    title: `${counted} a second`,
    colour: i + 1,
    points: ratesOf(timeline, counted),
  }))
  const told = timeline.map((moment, at) => ({
    at: moment.at,
    text: `${clock(moment.at)}: ${panels.map(({ title, points }) => `${figure(points[at]?.[1] ?? 0)} ${title}`).join(', ')}`,
  }))
  const label = `Acknowledged, delivered and refused a second over ${whole(seconds)} seconds, with ${whole(begun(faults))} faults`
  return html`<section class="card"><h2>By the second</h2>
<div class="wide">${timePlot({ label, seconds, panels, marks: marksOf(faults), told })}</div>
${faults.length > 0 && faultList(faults)}</section>`
}

function faultList(faults: readonly FaultEvent[]): Markup {
  const rows = html`<div class="wide"><table><thead><tr><th class="number narrow">fault</th><th class="number narrow">at</th><th>what</th></tr></thead>
<tbody>${faults.map(({ at, what, over }, i) => html`<tr><td class="number ${over ? 'soft' : 'mark-number'}">${i + 1}</td><td class="number">${figure(at)} s</td><td>${what}</td></tr>`)}</tbody></table></div>`
  return faults.length <= FAULTS_OPEN
    ? rows
    : html`<details><summary>The ${whole(begun(faults))} faults</summary>${rows}</details>`
}
