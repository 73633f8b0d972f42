import { percentilePlot } from '../report/percentile-plot.ts'
import { ratesOf } from '../report/rate.ts'
import { svgFile } from '../report/svg-file.ts'
import { timePlot } from '../report/time-plot.ts'
import { middleRun, type Summary } from './summary.ts'

export interface Plot {
  /** `latency.svg` */
  file: string
  says: string
  svg: string
}

/** Of the middle run of each row that is drawn. */
export function plotsOf(all: readonly Summary[]): Plot[] {
  return [latencyPlot(all), throughputPlot(all)].filter((plot) => plot !== undefined)
}

function latencyPlot(all: readonly Summary[]): Plot | undefined {
  const curves = drawn(all, 'latency').flatMap(({ row, run }) =>
    run.latency.delivered ? [[row.name, run.latency.delivered] as const] : [],
  )
  if (curves.length === 0) return undefined
  return {
    file: 'latency.svg',
    says: 'Until a message is delivered, by percentile',
    svg: svgFile(percentilePlot(curves)),
  }
}

function throughputPlot(all: readonly Summary[]): Plot | undefined {
  const runs = drawn(all, 'throughput')
  if (runs.length === 0) return undefined
  const says = 'Acknowledged a second, by the second'
  const panels = runs.map(({ row, run }, i) => ({
    title: row.says,
    colour: (i % 6) + 1,
    points: ratesOf(run.timeline, 'acknowledged'),
  }))
  const seconds = Math.max(...runs.map(({ run }) => run.seconds))
  return { file: 'throughput.svg', says, svg: svgFile(timePlot({ label: says, seconds, panels, marks: [] })) }
}

function drawn(all: readonly Summary[], plot: 'latency' | 'throughput') {
  return all.flatMap((summary) => {
    const run = summary.row.plot === plot ? middleRun(summary) : undefined
    return run ? [{ row: summary.row, run }] : []
  })
}
