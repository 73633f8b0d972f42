import { groupOf, peerOf } from '@qunxin/contracts'
import { FILLER, fillerStart, fillerUnits } from '../text.ts'
import { MOST_DIGITS, writeBase36 } from './base36.ts'
import { MASK, masked, opcodes, writeHeader } from './frames.ts'

const bytesOf = (text: string) => masked(Buffer.from(text))
const MASKED_FILLER = bytesOf(FILLER)
/** Where each of its UTF-16 units begins in bytes, and where the last one ends. */
const OFFSETS = offsetsOf(FILLER)
const BEFORE_TEXT = bytesOf('","msgContentType":"1","contentStr":"')
const BEFORE_DATE = bytesOf('","sendDate":')
const END = bytesOf('}}')
const SPACE = 0x20 ^ MASK

export interface OutgoingOptions {
  /** What every msgId begins with. */
  run: string
  userId: number
  conversation: string
}

/** The message frames of one user into one conversation: byte for byte what the SDK would send, masked, without making a string. */
export class Outgoing {
  readonly #begin: Uint8Array
  readonly #run: Uint8Array
  readonly #digits = new Uint8Array(MOST_DIGITS)

  constructor({ run, userId, conversation }: OutgoingOptions) {
    const group = groupOf(conversation)
    const toUserId = group === undefined ? Number(peerOf(conversation, String(userId))) : 0
    const data = { fromUserId: userId, toUserId, sessionId: group ?? '', msgId: '' }
    // All but the quote that ends the msgId, and the two braces.
    this.#begin = bytesOf(JSON.stringify({ tag: 'message', data }).slice(0, -3))
    this.#run = bytesOf(`${run}-`)
  }

  /** At least the bytes that a frame of so much text takes. */
  room(units: number): number {
    return this.#begin.length + 3 * units + 256
  }

  /** Writes the frame of an attempt, where there is room for it; returns its end. `date`: what `dateBytes` made. */
  write(into: Uint8Array, at: number, message: { attempt: number; units: number; date: Uint8Array }): number {
    const { attempt, units, date } = message
    const count = writeBase36(attempt, this.#digits)
    const firstDigit = MOST_DIGITS - count
    const msgIdLength = this.#run.length + count
    const start = fillerStart(attempt)
    const fillerFrom = OFFSETS[start] as number
    const last = Math.min(FILLER.length, start + fillerUnits(msgIdLength, units))
    const filler = MASKED_FILLER.subarray(fillerFrom, OFFSETS[last])
    const space = units > msgIdLength ? 1 : 0
    const fixed = this.#begin.length + BEFORE_TEXT.length + BEFORE_DATE.length + date.length + END.length
    const payload = fixed + 2 * msgIdLength + space + filler.length

    let end = writeHeader(into, at, { opcode: opcodes.text, payload })
    end = put(into, end, this.#begin)
    const msgIdAt = end
    end = put(into, end, this.#run)
    for (let i = firstDigit; i < MOST_DIGITS; i++) into[end++] = (this.#digits[i] as number) ^ MASK
    end = put(into, end, BEFORE_TEXT)
    into.copyWithin(end, msgIdAt, msgIdAt + msgIdLength)
    end += msgIdLength
    if (space > 0) into[end++] = SPACE
    end = put(into, end, filler)
    end = put(into, end, BEFORE_DATE)
    end = put(into, end, date)
    return put(into, end, END)
  }
}

/** A time in milliseconds, as `write` takes it. */
export function dateBytes(now: number): Uint8Array {
  return bytesOf(String(now))
}

function put(into: Uint8Array, at: number, bytes: Uint8Array): number {
  into.set(bytes, at)
  return at + bytes.length
}

function offsetsOf(text: string): Uint32Array {
  const offsets = new Uint32Array(text.length + 1)
  for (let i = 0; i < text.length; i++) offsets[i + 1] = (offsets[i] as number) + Buffer.byteLength(text[i] ?? '')
  return offsets
}
