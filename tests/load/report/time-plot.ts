import { roundTop, timeTicks } from './axis.ts'
import { clock, tick } from './figures.ts'
import { html, type Markup } from './markup.ts'

export interface Panel {
  title: string
  /** Which of the page's colours, 1 to 6. */
  colour: number
  /** Seconds and value; undefined where there was nothing to measure, which leaves a gap. */
  points: readonly (readonly [at: number, value: number | undefined])[]
  /** Where the axis ends when panels are to be compared; otherwise by the values. */
  top?: number
}

export interface TimePlot {
  /** What it shows, for those who cannot see it. */
  label: string
  seconds: number
  panels: readonly Panel[]
  /** Vertical lines through all panels. */
  marks: readonly Mark[]
  /** What a pointer on a second is told. */
  told?: readonly { at: number; text: string }[]
  width?: number
  panelHeight?: number
}

export interface Mark {
  at: number
  number: number
  text: string
  /** Where something ends that another one began. */
  over?: boolean
}

const [LEFT, RIGHT, TOP, TITLE, BOTTOM] = [52, 18, 14, 28, 22]
const NUMBER_WIDTH = 16

/** Panels below each other over one axis of time. */
export function timePlot({
  label,
  seconds,
  panels,
  marks,
  told = [],
  width = 960,
  panelHeight = 96,
}: TimePlot): Markup {
  const bottom = TOP + panels.length * (TITLE + panelHeight)
  const x = (at: number) => round(LEFT + (Math.min(at, seconds) / Math.max(seconds, 1e-9)) * (width - LEFT - RIGHT))
  const ticks = timeTicks(seconds)
  return html`<svg viewBox="0 0 ${width} ${bottom + BOTTOM}" role="img" aria-label="${label}">
${ticks.map((at) => html`<line class="grid" x1="${x(at)}" x2="${x(at)}" y1="${TOP + TITLE}" y2="${bottom}"/><text class="tick middle" x="${x(at)}" y="${bottom + 16}">${seconds > 90 ? clock(at) : at}</text>`)}
${drawMarks(marks, x, bottom)}
${panels.map((panel, i) => onePanel(panel, { x, width, height: panelHeight, y: TOP + i * (TITLE + panelHeight) + TITLE }))}
${told.map(({ at, text }, i) => {
  const from = x(told[i - 1]?.at ?? 0)
  return html`<rect class="told" x="${from}" y="${TOP + TITLE}" width="${round(x(at) - from)}" height="${bottom - TOP - TITLE}"><title>${text}</title></rect>`
})}
</svg>`
}

interface Place {
  x: (at: number) => number
  y: number
  width: number
  height: number
}

function onePanel({ title, colour, points, top }: Panel, { x, y, width, height }: Place): Markup {
  const most = Math.max(0, ...points.map(([, value]) => value ?? 0))
  const end = top ?? roundTop(most)
  const up = (value: number) => round(y + height - (Math.min(value, end) / end) * height)
  const lines = piecesOf(points)
  const path = (piece: Piece) => piece.map(([at, value], i) => `${i === 0 ? 'M' : 'L'}${x(at)} ${up(value)}`).join('')
  const area = (piece: Piece) =>
    `${path(piece)}L${x(piece.at(-1)?.[0] ?? 0)} ${y + height}L${x(piece[0]?.[0] ?? 0)} ${y + height}Z`
  return html`<g class="series-${colour}"><text class="title" x="${LEFT}" y="${y - 8}">${title}</text>
${(most === 0 ? [0] : [0, end / 2, end]).map((value) => html`<line class="grid" x1="${LEFT}" x2="${width - RIGHT}" y1="${up(value)}" y2="${up(value)}"/><text class="tick end" x="${LEFT - 6}" y="${up(value) + 4}">${tick(value)}</text>`)}
${lines.map((piece) => html`<path class="area" d="${area(piece)}"/><path class="line" d="${path(piece)}"/>`)}</g>`
}

/** Lines of all faults; their numbers where there is room for one. */
function drawMarks(marks: readonly Mark[], x: (at: number) => number, bottom: number): Markup[] {
  let free = 0
  return marks.map(({ at, number, text, over }) => {
    const place = x(at)
    const numbered = place >= free
    if (numbered) free = place + NUMBER_WIDTH
    return html`<g class="mark${over ? ' over' : ''}"><line x1="${place}" x2="${place}" y1="${TOP}" y2="${bottom}"/>${numbered && html`<text class="middle" x="${place}" y="${TOP - 4}">${number}</text>`}<title>${text}</title></g>`
  })
}

type Piece = [at: number, value: number][]

/** The stretches in which there is a value. */
function piecesOf(points: Panel['points']): Piece[] {
  const pieces: Piece[] = []
  let open = false
  for (const [at, value] of points) {
    if (value !== undefined && open) pieces.at(-1)?.push([at, value])
    else if (value !== undefined) pieces.push([[at, value]])
    open = value !== undefined
  }
  return pieces
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
