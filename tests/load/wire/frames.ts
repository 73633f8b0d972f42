/** RFC 6455, 5.2. */
export const opcodes = { text: 0x1, close: 0x8, ping: 0x9, pong: 0xa } as const
const FINAL = 0x80
const MASKED = 0x80
const TWO_BYTES_MORE = 126
const EIGHT_BYTES_MORE = 127

/**
 * The masking key of all our frames: four equal bytes, so that what is sent is kept masked and put together from parts. It is not
 * zero: a server has the same work with it as with anybody's.
 */
export const MASK = 0x5a

export function masked(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.length)
  mask(bytes, copy, 0)
  return copy
}

/** A loop of its own: `map` with a function takes three times as long. */
function mask(bytes: Uint8Array, into: Uint8Array, at: number): void {
  for (let i = 0; i < bytes.length; i++) into[at + i] = (bytes[i] as number) ^ MASK
}

/** How long the header of a frame of ours is, with its masking key. */
export function headerLength(payload: number): number {
  return payload < TWO_BYTES_MORE ? 6 : 8
}

/** Writes the header of a frame of ours; returns where its payload begins. @throws TypeError for one of 64 KiB and more */
export function writeHeader(into: Uint8Array, at: number, { opcode, payload }: { opcode: number; payload: number }) {
  if (payload > 0xffff) throw new TypeError('a frame of so many bytes is not sent here')
  into[at] = FINAL | opcode
  let next = at + 2
  if (payload < TWO_BYTES_MORE) into[at + 1] = MASKED | payload
  else {
    into[at + 1] = MASKED | TWO_BYTES_MORE
    into[at + 2] = payload >>> 8
    into[at + 3] = payload & 0xff
    next = at + 4
  }
  for (let i = 0; i < 4; i++) into[next + i] = MASK
  return next + 4
}

/** A whole frame of ours. */
export function frameOf(opcode: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(headerLength(payload.length) + payload.length)
  mask(payload, frame, writeHeader(frame, 0, { opcode, payload: payload.length }))
  return frame
}

export interface FrameHandlers {
  /** A frame, whose payload stands in these bytes for the moment only. False: no more of them. */
  frame(opcode: number, bytes: Buffer, payload: { start: number; end: number }): boolean
  /** What a server of ours does not send: fragments, masked or marked frames. */
  broken(what: string): void
}

/** Takes a server's frames out of what is read, without copies but of the part of a frame that ends a read. */
export class FrameReader {
  readonly #handlers: FrameHandlers
  readonly #payload = { start: 0, end: 0 }
  #rest: Buffer | undefined

  constructor(handlers: FrameHandlers) {
    this.#handlers = handlers
  }

  read(bytes: Buffer, start: number, end: number) {
    if (this.#rest === undefined) return this.#read(bytes, start, end)
    const joined = Buffer.concat([this.#rest, bytes.subarray(start, end)])
    this.#rest = undefined
    this.#read(joined, 0, joined.length)
  }

  #read(bytes: Buffer, start: number, end: number) {
    const payload = this.#payload
    let at = start
    while (end - at >= 2) {
      const [first, second] = [bytes[at] as number, bytes[at + 1] as number]
      if ((first & 0xf0) !== FINAL || (second & MASKED) !== 0)
        return this.#handlers.broken(`a frame that begins with ${first} ${second}`)
      let from = at + 2
      let length = second
      if (second === TWO_BYTES_MORE) {
        if (end - from < 2) break
        length = bytes.readUInt16BE(from)
        from += 2
      } else if (second === EIGHT_BYTES_MORE) {
        if (end - from < 8) break
        length = Number(bytes.readBigUInt64BE(from))
        from += 8
      }
      if (end - from < length) break
      at = from + length
      payload.start = from
      payload.end = at
      if (!this.#handlers.frame(first & 0xf, bytes, payload)) return
    }
    if (at < end) this.#rest = Buffer.from(bytes.subarray(at, end))
  }
}
