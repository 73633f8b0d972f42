import type { Incoming } from './incoming.ts'

/** The frame's two members, in either order. */
const TAG = Buffer.from('"tag":"message"')
const DATA = Buffer.from('"data":')

const NAMES = {
  fromUserId: Buffer.from('"fromUserId":'),
  toUserId: Buffer.from('"toUserId":'),
  sessionId: Buffer.from('"sessionId":"'),
  msgId: Buffer.from('"msgId":"'),
  msgContentType: Buffer.from('"msgContentType":'),
  contentStr: Buffer.from('"contentStr":"'),
  sendDate: Buffer.from('"sendDate":'),
}
const TEXT_TYPES = [Buffer.from('"1"'), Buffer.from('1')]

const QUOTE = 0x22
const COMMA = 0x2c
const ZERO = 0x30
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d
const PRINTABLE = 0x20
const LETTER = { c: 0x63, f: 0x66, m: 0x6d, s: 0x73, t: 0x74 }
const MOST_DIGITS = 15
const LONGEST = { msgId: 64, sessionId: 20 }

/** Which bytes a msgId is made of. */
const MSG_ID = Uint8Array.from({ length: 256 }, (_, code) => (/[A-Za-z0-9_-]/.test(String.fromCharCode(code)) ? 1 : 0))
const DIGIT = Uint8Array.from({ length: 256 }, (_, code) => (code >= ZERO && code < ZERO + 10 ? 1 : 0))

/** Of a number that is not there. */
export const NONE = -1

/**
 * A text message as nearly all clients write it: the places of its values in the frame, found without making a string of its
 * text. Whatever is written in another way (spaces, escapes, attachments, ids in quotes) is left to JSON and the schema.
 */
export class ScannedMessage implements Incoming {
  readonly tag = 'message'
  readonly frame: Buffer
  fromUserId = NONE
  toUserId = NONE
  sendDate = NONE
  isText = false
  /** Of strings: where they begin and end; both 0 when they are not there. */
  sessionAt = 0
  sessionEnd = 0
  msgIdAt = 0
  msgIdEnd = 0
  textAt = 0
  textEnd = 0
  #at = 0

  private constructor(frame: Buffer) {
    this.frame = frame
  }

  /** Undefined for anything else, be it right or wrong. */
  static read(frame: Buffer): ScannedMessage | undefined {
    const message = new ScannedMessage(frame)
    return message.#read() ? message : undefined
  }

  get bytes(): number {
    return this.frame.length
  }

  get data(): unknown {
    return (JSON.parse(this.frame.toString()) as { data: unknown }).data
  }

  #read(): boolean {
    if (!this.#skip(OPEN)) return false
    const isTagFirst = this.#skipAll(TAG)
    if (isTagFirst && !this.#skip(COMMA)) return false
    if (!this.#skipAll(DATA) || !this.#skip(OPEN)) return false
    do if (!this.#member()) return false
    while (this.#skip(COMMA))
    if (!this.#skip(CLOSE)) return false
    if (!isTagFirst && !(this.#skip(COMMA) && this.#skipAll(TAG))) return false
    return this.#skip(CLOSE) && this.#at === this.frame.length
  }

  /** One member of `data`, none of them twice. */
  #member(): boolean {
    switch (this.frame[this.#at + 1]) {
      case LETTER.c:
        return this.textEnd === 0 && this.#skipAll(NAMES.contentStr) && this.#text()
      case LETTER.f:
        if (this.fromUserId !== NONE || !this.#skipAll(NAMES.fromUserId)) return false
        this.fromUserId = this.#number()
        return this.fromUserId !== NONE
      case LETTER.t:
        if (this.toUserId !== NONE || !this.#skipAll(NAMES.toUserId)) return false
        this.toUserId = this.#number()
        return this.toUserId !== NONE
      case LETTER.m:
        if (this.#skipAll(NAMES.msgId)) return this.msgIdEnd === 0 && this.#msgId()
        return !this.isText && this.#skipAll(NAMES.msgContentType) && this.#type()
      case LETTER.s:
        if (this.#skipAll(NAMES.sessionId)) return this.sessionEnd === 0 && this.#session()
        if (this.sendDate !== NONE || !this.#skipAll(NAMES.sendDate)) return false
        this.sendDate = this.#number()
        return this.sendDate !== NONE
      default:
        return false
    }
  }

  #text(): boolean {
    const { frame } = this
    const from = this.#at
    let at = from
    let byte = frame[at] as number
    while (byte !== QUOTE) {
      // Also behind the end, where there is none.
      if (!(byte >= PRINTABLE) || byte === BACKSLASH) return false
      byte = frame[++at] as number
    }
    this.textAt = from
    this.textEnd = at
    this.#at = at + 1
    return at > from
  }

  #msgId(): boolean {
    const from = this.#at
    const end = this.#end(MSG_ID)
    this.msgIdAt = from
    this.msgIdEnd = end
    return end > from && end - from <= LONGEST.msgId && this.#skip(QUOTE)
  }

  #session(): boolean {
    const from = this.#at
    const end = this.#end(DIGIT)
    this.sessionAt = from
    this.sessionEnd = end
    return end - from <= LONGEST.sessionId && this.#skip(QUOTE)
  }

  #type(): boolean {
    this.isText = TEXT_TYPES.some((type) => this.#skipAll(type))
    return this.isText
  }

  /** Goes to the end of what is made of such bytes. */
  #end(kind: Uint8Array): number {
    const { frame } = this
    let at = this.#at
    while (kind[frame[at] as number] === 1) at++
    this.#at = at
    return at
  }

  /** A whole number without a sign; NONE when it is another one, or has more digits than are exact for sure. */
  #number(): number {
    const { frame } = this
    const from = this.#at
    const end = this.#end(DIGIT)
    if (end === from || end - from > MOST_DIGITS || (frame[from] === ZERO && end > from + 1)) return NONE
    let number = 0
    for (let at = from; at < end; at++) number = number * 10 + (frame[at] as number) - ZERO
    return number
  }

  #skip(byte: number): boolean {
    if (this.frame[this.#at] !== byte) return false
    this.#at += 1
    return true
  }

  #skipAll(bytes: Buffer): boolean {
    const { frame } = this
    const at = this.#at
    for (let i = 0; i < bytes.length; i++) if (frame[at + i] !== bytes[i]) return false
    this.#at = at + bytes.length
    return true
  }
}
