const RADIX = 36
/** More than any index of an attempt has. */
export const MOST_DIGITS = 7
const ZERO = 0x30
const BELOW_A = 0x61 - 10

/** Writes `index.toString(36)` in ASCII to the end of `into`; returns how many digits that are. */
export function writeBase36(index: number, into: Uint8Array): number {
  let rest = index
  let at = into.length
  do {
    const next = Math.floor(rest / RADIX)
    const digit = rest - next * RADIX
    at -= 1
    into[at] = digit < 10 ? ZERO + digit : BELOW_A + digit
    rest = next
  } while (rest > 0)
  return into.length - at
}

/** Reads what `toString(36)` writes; -1 for anything else, also for a number with zeros before it. */
export function readBase36(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (length < 1 || length > MOST_DIGITS || (length > 1 && bytes[start] === ZERO)) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number
    const digit = byte < 0x3a ? byte - ZERO : byte >= 0x61 ? byte - BELOW_A : -1
    if (digit < 0 || digit >= RADIX) return -1
    value = value * RADIX + digit
  }
  return value
}
