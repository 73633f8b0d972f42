import { passed } from '../report/violations.ts'
import type { RunResult } from '../result.ts'
import { allOf, type FigureName, figures, perDelivery, perMessage, serviceOf } from './figures.ts'
import { FLAT_WITHIN, type Growth, type PerformanceRow, type Target } from './rows.ts'
import { type Spread, spreadOf } from './spread.ts'

/** Everything known of one row after its runs. */
export interface Summary {
  row: PerformanceRow
  runs: readonly RunResult[]
  /** No run with anything wrong in it. */
  clean: boolean
  measured: readonly Measure[]
  /** Of rows that are about what messages cost. */
  costs: readonly Cost[]
  /** The median of what is not to grow, to that of the first row of its kind. */
  growth?: { ratio: number; flat: boolean }
}

export interface Measure {
  figure: FigureName
  spread: Spread
  target?: Target & {
    met: boolean
    /** How many times the target it is, the wrong way; 1 and less when it is met. */
    off: number
  }
}

/** Median microseconds of CPU of all instances of a service, of `all servers`, or of the `load generator`. */
export interface Cost {
  of: string
  perMessage?: number
  perDelivery?: number
}

/** One for each row that has runs, in the order of the rows. */
export function summaries(
  rows: readonly PerformanceRow[],
  runsOf: ReadonlyMap<string, readonly RunResult[]>,
): Summary[] {
  const firstOf = (growth: Growth) => rows.find((row) => row.growth?.kind === growth.kind)?.name ?? ''
  return rows.flatMap((row) => {
    const runs = runsOf.get(row.name) ?? []
    if (runs.length === 0) return []
    const growth = row.growth && grown(row.growth.figure, runs, runsOf.get(firstOf(row.growth)) ?? [])
    const clean = runs.every(passed)
    const measured = measuresOf(row, runs)
    const costs = measured.some(({ figure }) => figure.startsWith('cpuPer')) ? costsOf(runs) : []
    return [{ row, runs, clean, measured, costs, ...(growth && { growth }) }]
  })
}

/** The run in the middle by what the row is first of all about: the one to be drawn. */
export function middleRun({ row, runs, measured }: Summary): RunResult | undefined {
  const figure = row.plot === 'latency' ? 'deliverP99' : measured[0]?.figure
  if (figure === undefined) return runs[0]
  const value = (run: RunResult) => figures[figure].of(run) ?? 0
  return runs.toSorted((one, other) => value(one) - value(other))[Math.floor((runs.length - 1) / 2)]
}

function measuresOf({ targets, also = [], growth }: PerformanceRow, runs: readonly RunResult[]): Measure[] {
  const bounded = targets.flatMap((target) => {
    const found = spreadIn(runs, target.figure)
    return found ? [{ figure: target.figure, spread: found, target: judged(target, found.median) }] : []
  })
  const others = [...also, ...(growth ? [growth.figure] : [])].flatMap((figure) => {
    const found = spreadIn(runs, figure)
    return found ? [{ figure, spread: found }] : []
  })
  return [...bounded, ...others]
}

function spreadIn(runs: readonly RunResult[], figure: FigureName): Spread | undefined {
  return spreadOf(runs.flatMap((run) => figures[figure].of(run) ?? []))
}

function judged(target: Target, median: number): NonNullable<Measure['target']> {
  const off = target.limit === '≥' ? target.value / median : median / target.value
  return { ...target, off, met: off <= 1 }
}

function grown(figure: FigureName, runs: readonly RunResult[], first: readonly RunResult[]): Summary['growth'] {
  const [median, before] = [spreadIn(runs, figure)?.median, spreadIn(first, figure)?.median]
  if (median === undefined || before === undefined) return undefined
  const ratio = median / before
  return { ratio, flat: ratio <= FLAT_WITHIN }
}

function costsOf(runs: readonly RunResult[]): Cost[] {
  const services = [...new Set(runs.flatMap(({ processes }) => processes.map(serviceOf)))]
  const cost = (of: string, cpuSeconds: (run: RunResult) => number): Cost => {
    const message = spreadOf(runs.flatMap((run) => perMessage(run, cpuSeconds(run)) ?? []))
    const delivery = spreadOf(runs.flatMap((run) => perDelivery(run, cpuSeconds(run)) ?? []))
    return {
      of,
      ...(message && { perMessage: message.median }),
      ...(delivery && { perDelivery: delivery.median }),
    }
  }
  return [
    cost('all servers', ({ processes }) => allOf(processes)),
    ...services.map((service) => cost(service, ({ processes }) => allOf(processes, service))),
    cost('load generator', ({ generator }) => generator.cpuSeconds),
  ]
}
