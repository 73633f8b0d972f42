const FIRST_BYTES = 4_096
/** A longer string is encoded by the platform: a loop is quicker for short ones only. */
const LOOP_UNITS = 512
const LOOP_BYTES = 64
const LONGEST_UTF8 = 3
/** The longest escape, as of a control character: six bytes. */
const LONGEST_JSON = 6
const MOST_DIGITS = 20
const MILLION = 1_000_000

const encoder = new TextEncoder()

/** What JSON writes a character below 128 as, where that is not the character itself. */
const ESCAPES: readonly (Uint8Array | undefined)[] = Array.from({ length: 128 }, (_, code) => {
  const escaped = JSON.stringify(String.fromCharCode(code)).slice(1, -1)
  return escaped.length > 1 ? encoder.encode(escaped) : undefined
})

/**
 * Bytes that grow, for texts of which most is the same each time: written one behind the other, without a string or a buffer
 * for each part. A loop over a short string costs a fraction of a call into the platform, and nothing is left to collect.
 */
export class ByteWriter {
  /** Good up to {@link length}; another one after each write. */
  bytes = new Uint8Array(FIRST_BYTES)
  length = 0

  /** A copy of what is there. */
  copy(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }

  byte(byte: number): void {
    this.#room(1)
    this.bytes[this.length++] = byte
  }

  /** Copies bytes, by default all of them. */
  put(from: Uint8Array, length = from.length): void {
    this.#room(length)
    const { bytes, length: at } = this
    if (length > LOOP_BYTES) bytes.set(length === from.length ? from : from.subarray(0, length), at)
    else for (let i = 0; i < length; i++) bytes[at + i] = from[i] as number
    this.length = at + length
  }

  /** As UTF-8; half a pair becomes U+FFFD. True when it is known that JSON would write it the same between its quotes. */
  text(text: string): boolean {
    const units = text.length
    let isSame = true
    this.#room(units * LONGEST_UTF8)
    const { bytes } = this
    let at = this.length
    if (units <= LOOP_UNITS) {
      let i = 0
      for (; i < units; i++) {
        const unit = text.charCodeAt(i)
        if (unit < 0x80) {
          bytes[at++] = unit
          if (ESCAPES[unit] !== undefined) isSame = false
        } else if (unit < 0x800) {
          bytes[at++] = 0xc0 | (unit >> 6)
          bytes[at++] = 0x80 | (unit & 0x3f)
        } else if (unit < 0xd800 || unit > 0xdfff) {
          bytes[at++] = 0xe0 | (unit >> 12)
          bytes[at++] = 0x80 | ((unit >> 6) & 0x3f)
          bytes[at++] = 0x80 | (unit & 0x3f)
        } else break
      }
      if (i === units) {
        this.length = at
        return isSame
      }
      at = this.length
    }
    this.length = at + encoder.encodeInto(text, bytes.subarray(at)).written
    return false
  }

  /** As JSON.stringify writes it, quotes included. */
  json(text: string): void {
    const units = text.length
    this.#room(units * LONGEST_JSON + 2)
    const { bytes } = this
    let at = this.length
    bytes[at++] = QUOTE
    for (let i = 0; i < units; i++) {
      const unit = text.charCodeAt(i)
      if (unit < 0x80) {
        const escaped = ESCAPES[unit]
        if (escaped === undefined) bytes[at++] = unit
        else for (let j = 0; j < escaped.length; j++) bytes[at++] = escaped[j] as number
      } else if (unit < 0x800) {
        bytes[at++] = 0xc0 | (unit >> 6)
        bytes[at++] = 0x80 | (unit & 0x3f)
      } else if (unit < 0xd800 || unit > 0xdfff) {
        bytes[at++] = 0xe0 | (unit >> 12)
        bytes[at++] = 0x80 | ((unit >> 6) & 0x3f)
        bytes[at++] = 0x80 | (unit & 0x3f)
      } else {
        // Pairs are rare enough to leave the whole text to those who know them, and halves of them.
        this.text(JSON.stringify(text))
        return
      }
    }
    bytes[at++] = QUOTE
    this.length = at
  }

  /** As {@link json} writes a text whose UTF-8, which JSON leaves as it is, is there already. */
  quoted(utf8: Uint8Array): void {
    this.byte(QUOTE)
    this.put(utf8)
    this.byte(QUOTE)
  }

  /** In decimal, as JSON has it. */
  number(number: number): void {
    if (!Number.isSafeInteger(number) || number < 0) this.text(JSON.stringify(number))
    else {
      this.#room(MOST_DIGITS)
      this.#whole(number)
    }
  }

  #whole(number: number): void {
    if (number < MILLION) this.#digits(number, digitsOf(number))
    else {
      const millions = Math.floor(number / MILLION)
      this.#whole(millions)
      this.#digits(number - millions * MILLION, 6)
    }
  }

  /** Four bytes, little endian. */
  int32(value: number): void {
    this.#room(4)
    this.int32At(this.length, value)
    this.length += 4
  }

  /** Into what is there already. */
  int32At(at: number, value: number): void {
    const { bytes } = this
    bytes[at] = value
    bytes[at + 1] = value >> 8
    bytes[at + 2] = value >> 16
    bytes[at + 3] = value >> 24
  }

  /** Eight bytes, little endian. */
  double(value: number): void {
    eight.setFloat64(0, value, true)
    this.put(eightBytes)
  }

  /** A number below a million in so many digits. */
  #digits(number: number, digits: number): void {
    const { bytes, length } = this
    let left = number | 0
    for (let at = length + digits - 1; at >= length; at--) {
      const next = (left / 10) | 0
      bytes[at] = ZERO + left - next * 10
      left = next
    }
    this.length = length + digits
  }

  #room(more: number): void {
    const needed = this.length + more
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }
}

const eight = new DataView(new ArrayBuffer(8))
const eightBytes = new Uint8Array(eight.buffer)
const QUOTE = 0x22
const ZERO = 0x30

function digitsOf(number: number): number {
  if (number < 1_000) return number < 10 ? 1 : number < 100 ? 2 : 3
  return number < 10_000 ? 4 : number < 100_000 ? 5 : 6
}

/** ASCII that stands in every text of a kind, ready to {@link ByteWriter.put}. */
export function ready(text: string): Uint8Array {
  return encoder.encode(text)
}
