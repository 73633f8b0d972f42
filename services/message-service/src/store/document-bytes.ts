import { type ByteWriter, ready } from '@qunxin/contracts'
import { BSON } from 'mongodb'
import { isPlain, type Message } from '../domain/message.ts'
import { SEQ_DIGITS, toDocument } from './message-document.ts'

const TYPE = { double: 0x01, string: 0x02, int32: 0x10 } as const
const LONGEST_INT32 = 2 ** 31 - 1

const name = (field: string) => ready(`${field}\0`)
const ID = name('_id')
const CONVERSATION = name('conversation')
const FROM = name('from')
const TO = name('to')
const MSG_ID = name('msgId')
const HASH = name('hash')
const CONTENT_TYPE = name('type')
const TEXT = name('text')
const AT = name('at')
const SENT_AT = name('sentAt')

/** Shorter ones are as quickly written again. */
const WORTH_KEEPING_BYTES = 32

const COLON = 0x3a
const ZERO = 0x30

/**
 * Writes the documents of messages one behind the other as BSON: what the driver makes of `toDocument(message)`, in less than
 * half of its time. Their texts are UTF-8 then, which is left to those who write them next.
 */
export function documentsOf(messages: readonly Message[], out: ByteWriter): Uint8Array {
  out.length = 0
  const texts = messages.map((message) => writeDocument(out, message))
  const documents = out.copy()
  for (const [index, message] of messages.entries()) {
    const [from, to] = texts[index] as Part
    if (to - from >= WORTH_KEEPING_BYTES) message.utf8 ??= documents.subarray(from, to)
  }
  return documents
}

/** Where a text stands that JSON would write the same; as long as nothing when there is none. */
type Part = readonly [from: number, to: number]
const NOTHING: Part = [0, 0]

function writeDocument(out: ByteWriter, message: Message): Part {
  if (isPlain(message)) return writePlain(out, message)
  out.put(BSON.serialize(toDocument(message), { ignoreUndefined: true }))
  return NOTHING
}

function writePlain(out: ByteWriter, message: Message): Part {
  const { conversation, seq, from, msgId, hash, type, utf8, at, to, sentAt } = message
  const start = out.length
  out.int32(0)
  id(out, conversation, seq)
  string(out, CONVERSATION, conversation)
  string(out, FROM, from)
  string(out, MSG_ID, msgId)
  string(out, HASH, hash)
  number(out, CONTENT_TYPE, type)
  const textAt = begin(out, TEXT)
  const textFrom = out.length
  let isSame = false
  if (utf8) out.put(utf8)
  else isSame = out.text(message.text)
  const textTo = out.length
  end(out, textAt)
  number(out, AT, at)
  if (to !== undefined) string(out, TO, to)
  if (sentAt !== undefined) number(out, SENT_AT, sentAt)
  out.byte(0)
  out.int32At(start, out.length - start)
  return isSame ? [textFrom, textTo] : NOTHING
}

function string(out: ByteWriter, field: Uint8Array, value: string): void {
  const start = begin(out, field)
  out.text(value)
  end(out, start)
}

/** The same as `idOf`. */
function id(out: ByteWriter, conversation: string, seq: number): void {
  const start = begin(out, ID)
  out.text(conversation)
  out.byte(COLON)
  for (let next = 10 ** (SEQ_DIGITS - 1); next > seq && next > 1; next /= 10) out.byte(ZERO)
  out.number(seq)
  end(out, start)
}

function begin(out: ByteWriter, field: Uint8Array): number {
  out.byte(TYPE.string)
  out.put(field)
  const start = out.length
  out.int32(0)
  return start
}

function end(out: ByteWriter, start: number): void {
  out.byte(0)
  out.int32At(start, out.length - start - 4)
}

function number(out: ByteWriter, field: Uint8Array, value: number): void {
  const isInt32 = Number.isInteger(value) && value >= 0 && value <= LONGEST_INT32
  out.byte(isInt32 ? TYPE.int32 : TYPE.double)
  out.put(field)
  if (isInt32) out.int32(value)
  else out.double(value)
}
