/** Of the runs of one row. */
export interface Spread {
  median: number
  least: number
  most: number
}

/** Undefined for no values. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const [below, above] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]]
  if (below === undefined || above === undefined) return undefined
  return { median: (below + above) / 2, least: sorted[0] as number, most: sorted.at(-1) as number }
}
