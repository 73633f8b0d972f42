import type { Percentiles } from '../result.ts'
import { figure } from './figures.ts'
import { html, type Markup } from './markup.ts'

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [960, 260, 60, 120, 14, 34]
const TICKS = [0, 50, 90, 99, 99.9, 99.99, 99.999]

/** Latency by percentile, HDR fashion: each nine of the percentile is as wide as the one before; milliseconds in powers of ten. */
export function percentilePlot(latency: readonly (readonly [name: string, Percentiles])[]): Markup {
  const curves = latency
    .map(([name, percentiles], i) => ({ name, colour: (i % 6) + 1, points: pointsOf(percentiles) }))
    .filter(({ points }) => points.length > 1)
  const last = Math.max(90, ...curves.flatMap(({ points }) => points.map(([percentile]) => percentile)))
  const values = curves.flatMap(({ points }) => points.map(([, ms]) => Math.max(ms, 0.1)))
  const least = Math.floor(Math.log10(Math.min(1, ...values)))
  const most = Math.max(least + 1, Math.ceil(Math.log10(Math.max(1, ...values))))
  const x = (percentile: number) => round(LEFT + (nines(percentile) / nines(last)) * (WIDTH - LEFT - RIGHT))
  const y = (ms: number) =>
    round(TOP + ((most - Math.log10(Math.max(ms, 10 ** least))) / (most - least)) * (HEIGHT - TOP - BOTTOM))
  const decades = Array.from({ length: most - least + 1 }, (_, i) => 10 ** (least + i))
  const labels = spread(curves.map(({ points }) => y(points.at(-1)?.[1] ?? 0)))
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Latency by percentile">
${decades.map((ms) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(ms)}" y2="${y(ms)}"/><text class="tick end" x="${LEFT - 6}" y="${y(ms) + 4}">${decade(ms)}</text>`)}
${TICKS.filter((percentile) => percentile <= last).map((percentile) => html`<line class="grid" x1="${x(percentile)}" x2="${x(percentile)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text class="tick middle" x="${x(percentile)}" y="${HEIGHT - BOTTOM + 16}">${percentile === 0 ? 'least' : `${percentile} %`}</text>`)}
${curves.map(
  (
    { name, colour, points },
    i,
  ) => html`<g class="series-${colour}"><path class="line" d="${points.map(([percentile, ms], at) => `${at === 0 ? 'M' : 'L'}${x(percentile)} ${y(ms)}`).join('')}"/>
<text class="named" x="${WIDTH - RIGHT + 8}" y="${(labels[i] ?? 0) + 4}">${name}</text>${points.map(([percentile, ms]) => html`<circle cx="${x(percentile)}" cy="${y(ms)}" r="3"><title>${name}, ${percentile} %: ${figure(ms)} ms</title></circle>`)}</g>`,
)}
</svg>`
}

function pointsOf({ curve, count, p50, p90, p99, p999 }: Percentiles): [number, number][] {
  if (curve !== undefined) return curve
  const known: [number, number][] = [
    [50, p50],
    [90, p90],
    [99, p99],
    [99.9, p999],
  ]
  return known.filter(([percentile]) => count * (1 - percentile / 100) >= 1)
}

/** 0 for 0 %, 1 for 90 %, 2 for 99 %, 3 for 99.9 %. */
function nines(percentile: number): number {
  return -Math.log10(1 - percentile / 100)
}

function decade(ms: number): string {
  return ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`
}

/** Moves labels that would lie on each other apart, keeping their order. */
function spread(places: readonly number[]): number[] {
  const order = places.map((place, i) => ({ place, i })).toSorted((a, b) => a.place - b.place)
  const moved = [...places]
  let free = 0
  for (const { place, i } of order) {
    moved[i] = Math.max(place, free)
    free = (moved[i] ?? 0) + 15
  }
  return moved
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
