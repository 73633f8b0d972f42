import { HASH_OF_NOTHING, hashedOn } from '../text.ts'

export interface Text {
  /** Where its closing quote stands. */
  end: number
  /** `textHash` of it. */
  hash: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * Hashes a JSON string from behind its opening quote by UTF-16 units, as `textHash` would hash the string itself. False when it has
 * escapes, control characters or bytes that are not UTF-8: whoever reads that as a string has more to do.
 */
export function scanText(bytes: Uint8Array, start: number, end: number, into: Text): boolean {
  let hash = HASH_OF_NOTHING
  let at = start
  while (at < end) {
    const byte = bytes[at] as number
    if (byte < 0x80) {
      if (byte === QUOTE) {
        into.end = at
        into.hash = hash >>> 0
        return true
      }
      if (byte < 0x20 || byte === BACKSLASH) return false
      hash = hashedOn(hash, byte)
      at += 1
    } else if (byte < 0xe0) {
      const unit = ((byte & 0x1f) << 6) | continued(bytes, at + 1)
      if (byte < 0xc0 || unit < 0x80) return false
      hash = hashedOn(hash, unit)
      at += 2
    } else if (byte < 0xf0) {
      const unit = ((byte & 0xf) << 12) | (continued(bytes, at + 1) << 6) | continued(bytes, at + 2)
      if (unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff)) return false
      hash = hashedOn(hash, unit)
      at += 3
    } else {
      const low = (continued(bytes, at + 2) << 6) | continued(bytes, at + 3)
      const point = ((byte & 0x7) << 18) | (continued(bytes, at + 1) << 12) | low
      if (byte > 0xf4 || point < 0x10000 || point > 0x10ffff) return false
      hash = hashedOn(hash, 0xd7c0 + (point >>> 10))
      hash = hashedOn(hash, 0xdc00 | (point & 0x3ff))
      at += 4
    }
  }
  return false
}

/** The six bits of a byte that goes on; negative for any other, as is then whatever they are put together with. */
function continued(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] as number
  return (byte & 0xc0) === 0x80 ? byte & 0x3f : -1
}
