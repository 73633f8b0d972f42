import type { RunResult } from '../result.ts'
import { duration, figure, whole } from './figures.ts'
import { html, type Markup } from './markup.ts'
import { page } from './page.ts'
import { percentilePlot } from './percentile-plot.ts'
import { processesSection } from './processes-section.ts'
import { timelineSection } from './timeline-section.ts'
import { banner, checkedSection } from './verdict-section.ts'

/** One run as a page that stands for itself. */
export function runPage(result: RunResult): string {
  const started = result.startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')
  return page(
    `${result.scenario}, seed ${result.seed}`,
    html`<h1>Load run: ${result.scenario}</h1>
<p class="under">${started}, ${duration(result.seconds)} measured, seed ${result.seed}</p>
${result.command !== undefined && html`<p class="command"><code>${result.command}</code></p>`}
${banner(result)}
${tiles(result)}
${checkedSection(result)}
${figuresSection(result)}
${timelineSection(result)}
${latencySection(result)}
${processesSection(result)}
${settingsSection(result)}`,
  )
}

function tiles({ counts, seconds }: RunResult): Markup {
  const rate = (count: number) => figure(seconds > 0 ? count / seconds : 0)
  const figures: [string, string][] = [
    [whole(counts.attempted), 'attempted in the measured part'],
    [whole(counts.acknowledged), `acknowledged, ${rate(counts.acknowledged)} a second`],
    [whole(counts.delivered), `shown to clients, ${rate(counts.delivered)} a second`],
    ...(counts.retried === undefined
      ? []
      : [[whole(counts.retried), 'answers after which a client sent again'] as [string, string]]),
    [whole(counts.refused), 'refused for good'],
    [whole(counts.unknown), 'without an outcome at the end'],
  ]
  return html`<div class="tiles">${figures.map(([value, what]) => html`<div class="tile"><b>${value}</b><span>${what}</span></div>`)}</div>`
}

/** Those of every run first. */
const LATENCIES = ['acknowledged', 'delivered', 'connected', 'replayed']

function latencySection({ latency }: RunResult): Markup {
  const rows = Object.entries(latency).toSorted(([one], [other]) => placeOf(one) - placeOf(other))
  return html`<section class="card"><h2>Latency, milliseconds</h2>
<div class="wide"><table><thead><tr><th>until</th>${['values', 'p50', 'p90', 'p99', 'p99.9', 'most'].map((name) => html`<th class="number">${name}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([name, { count, p50, p90, p99, p999, most }]) =>
      html`<tr><td>${name}</td><td class="number">${whole(count)}</td>${[p50, p90, p99, p999, most].map((ms) => html`<td class="number">${figure(ms)}</td>`)}</tr>`,
  )}</tbody></table></div>
${rows.some(([, { count }]) => count > 1) && html`<div class="wide">${percentilePlot(rows)}</div>`}</section>`
}

function placeOf(name: string): number {
  const place = LATENCIES.indexOf(name)
  return place === -1 ? LATENCIES.length : place
}

function figuresSection({ figures }: RunResult): Markup | undefined {
  if (figures === undefined) return undefined
  const rows = Object.entries(figures)
  return html`<section class="card"><h2>Of this scenario</h2><dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${figure(value)}</dd>`)}</dl></section>`
}

function settingsSection({ settings, hardware, loadAverage, seed }: RunResult): Markup {
  const rows: [string, string | number | boolean][] = [
    ...Object.entries(settings),
    ['seed', seed],
    ['machine', hardware],
    ['load average before', loadAverage],
  ]
  return html`<section class="card"><h2>Settings</h2><dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${String(value)}</dd>`)}</dl></section>`
}
