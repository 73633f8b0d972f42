import { HASH_OF_NOTHING } from '../text.ts'
import { scanText, type Text } from './scan-text.ts'

/** What a frame was found to be; `other`: the scanner does not know, or it is not written as our gateways write it. */
export const kinds = { other: 0, messageAck: 1, message: 2 } as const
export type Kind = (typeof kinds)[keyof typeof kinds]

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const CLOSE = 0x7d
const ZERO = 0x30
/** Of which every number is a whole one for JavaScript too. */
const MOST_DIGITS = 15

const ascii = (text: string) => Buffer.from(text, 'latin1')
const ACK = ascii('{"tag":"messageAck","data":{')
const MESSAGE = ascii('{"tag":"message","data":{')
const CONSTANTS = ['true', 'false', 'null'].map(ascii)

/** The fields that are taken, as bits. */
const fields = { msgId: 1, sessionId: 2, contentStr: 4, seq: 8, serverReceiveDate: 16, fromUserId: 32, toUserId: 64 }
type Field = keyof typeof fields
const FIELDS = Object.entries(fields).map(([name, bit]) => ({ bit, key: ascii(name) }))
const bits = (...names: Field[]) => names.reduce((sum, name) => sum | fields[name], 0)
const NEEDED = {
  [kinds.messageAck]: bits('msgId', 'seq', 'serverReceiveDate'),
  [kinds.message]: Object.values(fields).reduce((sum, bit) => sum | bit, 0),
}

/**
 * Finds in a frame's bytes what the checker wants to know of an acknowledgement or a message, without a string or an object. Takes
 * only what our own gateways write: one flat object of numbers, constants and strings without escapes. All else is for JSON.parse.
 * The properties are those of the last frame that was scanned.
 */
export class Scanner {
  msgIdStart = 0
  msgIdEnd = 0
  sessionStart = 0
  sessionEnd = 0
  /** `textHash` of contentStr. */
  hash = 0
  seq = 0
  /** serverReceiveDate */
  at = 0
  fromUserId = 0
  toUserId = 0
  #number = 0
  readonly #text: Text = { end: 0, hash: HASH_OF_NOTHING }

  scan(bytes: Uint8Array, start: number, end: number): Kind {
    if (startsWith(bytes, start, ACK)) return this.#object(bytes, start + ACK.length, end, kinds.messageAck)
    if (startsWith(bytes, start, MESSAGE)) return this.#object(bytes, start + MESSAGE.length, end, kinds.message)
    return kinds.other
  }

  /** `at` is behind the brace that opens `data`. */
  #object(bytes: Uint8Array, start: number, end: number, kind: 1 | 2): Kind {
    let found = 0
    let at = start
    while (at < end) {
      if (bytes[at] !== QUOTE) return kinds.other
      const key = at + 1
      at = endOfString(bytes, key, end)
      if (at < 0 || bytes[at + 1] !== COLON) return kinds.other
      const field = fieldOf(bytes, key, at - key)
      at = this.#value(bytes, at + 2, end, field)
      if (at < 0) return kinds.other
      found |= field
      const next = bytes[at]
      at += 1
      if (next === COMMA) continue
      const ended = next === CLOSE && bytes[at] === CLOSE && at + 1 === end
      return ended && (found & NEEDED[kind]) === NEEDED[kind] ? kind : kinds.other
    }
    return kinds.other
  }

  /** Behind the value; -1 for one that is not for us. */
  #value(bytes: Uint8Array, start: number, end: number, field: number): number {
    const first = bytes[start] as number
    if (first === QUOTE) return this.#string(bytes, start + 1, end, field)
    if (first >= ZERO && first <= 0x39) {
      const after = this.#digits(bytes, start, end)
      if (after > 0 && !this.#takeNumber(field)) return -1
      return after
    }
    if (field !== 0) return -1
    const constant = CONSTANTS.find((one) => startsWith(bytes, start, one))
    return constant === undefined ? -1 : start + constant.length
  }

  #string(bytes: Uint8Array, start: number, end: number, field: number): number {
    if (field === fields.contentStr) {
      if (!scanText(bytes, start, end, this.#text)) return -1
      this.hash = this.#text.hash
      return this.#text.end + 1
    }
    const after = endOfString(bytes, start, end)
    if (after < 0) return -1
    if (field === fields.msgId) {
      this.msgIdStart = start
      this.msgIdEnd = after
    } else if (field === fields.sessionId) {
      this.sessionStart = start
      this.sessionEnd = after
    } else if (field !== 0) return -1
    return after + 1
  }

  #digits(bytes: Uint8Array, start: number, end: number): number {
    let value = 0
    let at = start
    for (; at < end; at++) {
      const digit = (bytes[at] as number) - ZERO
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    // A fraction or an exponent is seen as neither a comma nor a brace behind it.
    if (at - start > MOST_DIGITS || (at - start > 1 && bytes[start] === ZERO)) return -1
    this.#number = value
    return at
  }

  /** False when a string belongs there. */
  #takeNumber(field: number): boolean {
    if (field === fields.seq) this.seq = this.#number
    else if (field === fields.serverReceiveDate) this.at = this.#number
    else if (field === fields.fromUserId) this.fromUserId = this.#number
    else if (field === fields.toUserId) this.toUserId = this.#number
    else return field === 0
    return true
  }
}

function startsWith(bytes: Uint8Array, start: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[start + i] !== prefix[i]) return false
  return true
}

/** Where its closing quote stands; -1 when it has an escape, a control character, or anything but ASCII. */
function endOfString(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) return at
    if (byte < 0x20 || byte >= 0x80 || byte === BACKSLASH) return -1
  }
  return -1
}

/** Its bit; 0 for a field that nobody asks for. */
function fieldOf(bytes: Uint8Array, start: number, length: number): number {
  for (let i = 0; i < FIELDS.length; i++) {
    const { bit, key } = FIELDS[i] as { bit: number; key: Uint8Array }
    if (key.length === length && key[0] === bytes[start] && startsWith(bytes, start, key)) return bit
  }
  return 0
}
