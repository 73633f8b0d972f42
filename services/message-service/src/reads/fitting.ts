/** As many of a list as fit into so many bytes of JSON, from one end; at least one, or who reads on would never come further. */
export function fitting<T>(list: readonly T[], options: { bytes: number; keep: 'first' | 'last' }): T[] {
  const { bytes, keep } = options
  const fromKeptEnd = keep === 'first' ? list : list.toReversed()
  let left = bytes
  let count = 0
  for (const one of fromKeptEnd) {
    left -= Buffer.byteLength(JSON.stringify(one)) + 1
    if (left < 0 && count > 0) break
    count += 1
  }
  return keep === 'first' ? list.slice(0, count) : list.slice(list.length - count)
}
