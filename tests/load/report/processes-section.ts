import type { ProcessUse, RunResult } from '../result.ts'
import { roundTop } from './axis.ts'
import { marksOf } from './fault-marks.ts'
import { figure, whole } from './figures.ts'
import { html, type Markup } from './markup.ts'
import { type Mark, timePlot } from './time-plot.ts'

/** What the servers used: in all and for each delivered message, and over time on scales that can be compared. */
export function processesSection(result: RunResult): Markup {
  const { timeline, faults, seconds } = result
  const processes = byService(result.processes)
  const [most, mostMib] = [
    roundTop(100 * greatest(timeline.flatMap(({ cpu }) => Object.values(cpu)))),
    roundTop(greatest(timeline.flatMap(({ residentMib }) => Object.values(residentMib)))),
  ]
  const marks: Mark[] = marksOf(faults)
  return html`<section class="card"><h2>CPU and memory of each process</h2>
${usesTable(processes, result)}</section>
<section class="card"><h2>Over time</h2><div class="pair">${processes.map(
    ({ name }) =>
      html`<div class="wide small">${timePlot({
        label: `CPU and memory of ${name}`,
        seconds,
        panels: [
          {
            title: `${name}: CPU, % of a core`,
            colour: 4,
            top: most,
            points: timeline.map(({ at, cpu }) => [at, percent(cpu[name])]),
          },
          {
            title: 'memory, MiB',
            colour: 6,
            top: mostMib,
            points: timeline.map(({ at, residentMib }) => [at, residentMib[name]]),
          },
        ],
        marks,
        width: 480,
        panelHeight: 64,
      })}</div>`,
  )}</div></section>`
}

/** Those that came later stand behind the other instances of theirs. */
function byService(processes: readonly ProcessUse[]): ProcessUse[] {
  return [...Map.groupBy(processes, ({ name }) => name.replace(/-\d+$/, '')).values()].flat()
}

function usesTable(processes: readonly ProcessUse[], { seconds, generator, coresElsewhere }: RunResult): Markup {
  const sum = (of: (use: ProcessUse) => number) => processes.reduce((all, use) => all + of(use), 0)
  const perDelivered = processes.some(({ cpuMicrosPerDelivered }) => cpuMicrosPerDelivered !== undefined)
    ? figure(sum(({ cpuMicrosPerDelivered }) => cpuMicrosPerDelivered ?? 0))
    : '–'
  const micros = (use: Pick<ProcessUse, 'cpuMicrosPerDelivered'>) =>
    use.cpuMicrosPerDelivered === undefined ? '–' : figure(use.cpuMicrosPerDelivered)
  const share = (cpuSeconds: number) => figure(seconds > 0 ? (100 * cpuSeconds) / seconds : 0)
  return html`<div class="wide"><table><thead><tr><th>process</th><th class="number">CPU µs per<br>delivered message</th><th class="number">CPU seconds</th><th class="number">% of a core</th><th class="number">MiB at first</th><th class="number">at last</th><th class="number">at most</th></tr></thead>
<tbody>${processes.map(
    ({ name, cpuSeconds, residentMib: { first, last, most }, ...use }) =>
      html`<tr><td>${name}</td><td class="number">${micros(use)}</td><td class="number">${figure(cpuSeconds)}</td><td class="number">${share(cpuSeconds)}</td>${[first, last, most].map((mib) => html`<td class="number">${whole(mib)}</td>`)}</tr>`,
  )}</tbody>
<tfoot><tr><td>all</td><td class="number">${perDelivered}</td><td class="number">${figure(sum(({ cpuSeconds }) => cpuSeconds))}</td><td class="number">${share(sum(({ cpuSeconds }) => cpuSeconds))}</td>${(['first', 'last'] as const).map((when) => html`<td class="number">${whole(sum(({ residentMib }) => residentMib[when]))}</td>`)}<td></td></tr></tfoot></table></div>
<p class="soft">The load generator: ${micros(generator)} µs per delivered message, ${share(generator.cpuSeconds)} % of a core. Anything else on the machine: ${share(coresElsewhere * seconds)} %.</p>`
}

function percent(share: number | undefined): number | undefined {
  return share === undefined ? undefined : share * 100
}

function greatest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0)
}
