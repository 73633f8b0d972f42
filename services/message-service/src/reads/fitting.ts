/** As many of a list as fit into so many bytes of JSON, from one end; at least one, or who reads on would never come further. */
export function fitting<T>(list: readonly T[], options: { bytes: number; keep: 'first' | 'last' }): T[] {
  const { bytes, keep } = options
  const count = fittingCount(keep === 'first' ? list : list.toReversed(), bytes)
  return keep === 'first' ? list.slice(0, count) : list.slice(list.length - count)
}

/** How many from the front on fit; at least one of a list that is not empty. */
export function fittingCount(list: readonly unknown[], bytes: number): number {
  let left = bytes
  let count = 0
  for (const one of list) {
    left -= jsonBytes(one)
    if (left < 0 && count > 0) break
    count += 1
  }
  return count
}

/** Of one element of a list, with the comma. */
export function jsonBytes(one: unknown): number {
  return Buffer.byteLength(JSON.stringify(one)) + 1
}
