import { type ConversationId, groupOf } from '../conversation.ts'
import { ByteWriter } from './byte-writer.ts'
import { type SendBatch, type SendEntry, sendBatch } from './send.ts'

/**
 * A batch on its way: 4 bytes length of the header (big endian), the header as JSON, then texts as UTF-8, one behind the
 * other. The header is one flat array: node and number, then each send as its kind and so many values. Most sends of a batch
 * are of the same connection into the same conversation as the one before.
 */
const KIND = {
  /** id, bytes of the text, msgId, sentAt, conn, from, to, conversation; null for what it has not. */
  text: 0,
  /** id, bytes of the text, msgId, sentAt: otherwise as the text before. */
  nextText: 1,
  /** The entry as it is. */
  entry: 2,
} as const

const LENGTH_BYTES = 4
const COMMA = 0x2c
const OPEN = 0x5b
const CLOSE = 0x5d
/** A batch that is JSON all over begins so; the length of a header never does. */
const BRACE = 0x7b

const header = new ByteWriter()
const texts = new ByteWriter()
const decoder = new TextDecoder()

/** Sends with `utf8` are told by that, others by their JSON. */
export function encodeBatch({ node, batch, sends }: SendBatch): Uint8Array {
  header.length = 0
  texts.length = 0
  header.byte(OPEN)
  header.json(node)
  header.byte(COMMA)
  header.number(batch)
  let before: SendEntry | undefined
  for (const send of sends) {
    header.byte(COMMA)
    if (send.utf8 === undefined) {
      header.number(KIND.entry)
      header.byte(COMMA)
      header.text(JSON.stringify(send))
    } else {
      const isNext = before?.conn === send.conn && before.conversation === send.conversation
      header.number(isNext ? KIND.nextText : KIND.text)
      writeText(send, send.utf8)
      if (!isNext) writeRow(send)
      before = send
    }
  }
  header.byte(CLOSE)
  const bytes = new Uint8Array(LENGTH_BYTES + header.length + texts.length)
  new DataView(bytes.buffer).setUint32(0, header.length)
  bytes.set(header.bytes.subarray(0, header.length), LENGTH_BYTES)
  bytes.set(texts.bytes.subarray(0, texts.length), LENGTH_BYTES + header.length)
  return bytes
}

function writeText({ id, msgId, sentAt }: SendEntry, utf8: Uint8Array): void {
  header.byte(COMMA)
  header.number(id)
  header.byte(COMMA)
  header.number(utf8.length)
  texts.put(utf8)
  writeOptional(msgId)
  header.byte(COMMA)
  if (sentAt === undefined) header.text('null')
  else header.number(sentAt)
}

function writeRow({ conn, from, to, conversation }: SendEntry): void {
  for (const value of [conn, from, to, conversation]) writeOptional(value)
}

function writeOptional(value: string | undefined): void {
  header.byte(COMMA)
  if (value === undefined) header.text('null')
  else header.json(value)
}

/**
 * What {@link encodeBatch} has written, or a batch in JSON, as services that ask for one send write it. Batches come from our
 * own processes under NATS permissions: only their frame is checked.
 *
 * @throws when it is neither
 */
export function decodeBatch(bytes: Uint8Array): SendBatch {
  if (bytes[0] === BRACE) return sendBatch.parse(JSON.parse(decoder.decode(bytes)))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let textAt = LENGTH_BYTES + view.getUint32(0)
  const values: unknown = JSON.parse(decoder.decode(bytes.subarray(LENGTH_BYTES, textAt)))
  if (!Array.isArray(values)) throw new Error('not a batch of sends')
  const [node, batch] = values
  if (typeof node !== 'string' || typeof batch !== 'number') throw new Error('not a batch of sends')
  const sends: SendEntry[] = []
  let before: SendEntry | undefined
  for (let at = 2; at < values.length; ) {
    const kind = values[at]
    if (kind === KIND.entry) {
      sends.push(values[at + 1])
      at += 2
      continue
    }
    if (kind !== KIND.text && (kind !== KIND.nextText || !before)) throw new Error('an unreadable send in a batch')
    const utf8 = bytes.subarray(textAt, textAt + values[at + 2])
    textAt += utf8.length
    const row: Row = kind === KIND.text ? rowOf(values, at + 5) : (before as SendEntry)
    before = textOf(values, at + 1, row, utf8)
    sends.push(before)
    at += kind === KIND.text ? 9 : 5
  }
  return { node, batch, sends }
}

type Row = Pick<SendEntry, 'conn' | 'from' | 'to' | 'conversation'>

// biome-ignore lint/suspicious/noExplicitAny: as parsed.
function rowOf(values: any[], at: number): Row {
  return { conn: values[at], from: values[at + 1], to: values[at + 2] ?? undefined, conversation: values[at + 3] }
}

// biome-ignore lint/suspicious/noExplicitAny: as parsed.
function textOf(values: any[], at: number, row: Row, utf8: Uint8Array): SendEntry {
  return new TextSend({ id: values[at], msgId: values[at + 2], sentAt: values[at + 3], row, utf8 })
}

/** A text message as it came, whose text becomes a string when somebody asks for it. */
class TextSend implements SendEntry {
  readonly id: number
  readonly conn: string
  readonly conversation: ConversationId
  readonly from: string
  readonly msgId: string
  readonly type = 1
  readonly utf8: Uint8Array
  declare readonly to?: string
  declare readonly group?: string
  declare readonly sentAt?: number
  #text: string | undefined

  constructor(of: { id: number; msgId: string; sentAt: number | null; row: Row; utf8: Uint8Array }) {
    const { row } = of
    this.id = of.id
    this.conn = row.conn
    this.conversation = row.conversation
    this.from = row.from
    this.msgId = of.msgId
    this.utf8 = of.utf8
    if (row.to !== undefined) this.to = row.to
    else this.group = groupOf(row.conversation) ?? ''
    if (of.sentAt !== null) this.sentAt = of.sentAt
  }

  get text(): string {
    this.#text ??= decoder.decode(this.utf8)
    return this.#text
  }
}
