import { figure } from '../report/figures.ts'
import { figures } from './figures.ts'
import type { Target } from './rows.ts'
import type { Measure, Summary } from './summary.ts'

/** `14,200 (13,900–14,600)`, with the unit. */
export function measureInWords({ figure: name, spread }: Measure): string {
  const { median, least, most } = spread
  const range = least === most ? '' : ` (${figure(least)}–${figure(most)})`
  return `${withUnit(name, median)}${range}`
}

/** `≥ 14,000` */
export function targetInWords({ figure: name, limit, value }: Target): string {
  return `${limit} ${value.toLocaleString('en')}${unitOf(name)}`
}

/** `met`, or by how much it is not. */
export function judgementOf({ target }: Measure): string {
  if (target === undefined) return ''
  return target.met ? 'met' : `missed, ${figure(target.off)} ×`
}

/** `1.07 of the first` */
export function growthInWords({ growth }: Summary): string {
  if (growth === undefined) return ''
  return `${growth.ratio.toFixed(2)} × the first${growth.flat ? '' : ', not flat'}`
}

function withUnit(name: Measure['figure'], value: number): string {
  return `${figure(value)}${unitOf(name)}`
}

function unitOf(name: Measure['figure']): string {
  const shown = figures[name]
  return 'unit' in shown ? ` ${shown.unit}` : ''
}
