import { type ByteWriter, ready } from './byte-writer.ts'
import type { AnswerItem, FrameItem } from './deliver.ts'
import type { SendAnswer } from './send.ts'

/**
 * The header of a delivery is one flat array of JSON: who it comes from, then each item as its kind and so many values. Most
 * frames of a commit are like the one before but for their seq, and most answers are of the frame before: those are a few
 * numbers.
 */
const KIND = {
  /** size, users, conversation, seq, except, and an object with what is rare; null for what it has not. */
  frame: 0,
  /** size: otherwise the frame before, and one seq further. */
  nextFrame: 1,
  /** id, seq, at */
  stored: 2,
  /** id, at: the seq is that of the frame before. */
  frameStored: 3,
  /** The answer as it is. */
  answer: 4,
} as const

const NULL = ready(',null')
const NEXT_FRAME = ready(`,${KIND.nextFrame},`)
const STORED = ready(`,${KIND.stored},`)
const FRAME_STORED = ready(`,${KIND.frameStored},`)
const FRAME = ready(`,${KIND.frame},`)
const ANSWER = ready(`,${KIND.answer},`)
const COMMA = 0x2c
const OPEN = 0x5b
const CLOSE = 0x5d

export type Frame = Omit<FrameItem, 'kind' | 'size'>

/** Writes the items of one header, without the brackets around it. */
export class HeaderWriter {
  readonly #out: ByteWriter
  #before: Frame | undefined

  constructor(out: ByteWriter, from: string) {
    this.#out = out
    out.byte(OPEN)
    out.json(from)
  }

  frame(frame: Frame, size: number): void {
    const out = this.#out
    const before = this.#before
    this.#before = frame
    if (before && comesNext(before, frame)) {
      out.put(NEXT_FRAME)
      out.number(size)
      return
    }
    const { users, conversation, seq, except, cursor, again } = frame
    out.put(FRAME)
    out.number(size)
    out.byte(COMMA)
    this.#list(users)
    this.#optional(conversation)
    if (seq === undefined) out.put(NULL)
    else {
      out.byte(COMMA)
      out.number(seq)
    }
    this.#optional(except)
    if (cursor === undefined && again === undefined) out.put(NULL)
    else {
      out.byte(COMMA)
      out.text(JSON.stringify({ cursor, again }))
    }
  }

  answer(answer: SendAnswer): void {
    const out = this.#out
    if (!('seq' in answer) || answer.duplicate) {
      out.put(ANSWER)
      out.text(JSON.stringify(answer))
      return
    }
    const isOfFrame = this.#before !== undefined && this.#before.seq === answer.seq
    out.put(isOfFrame ? FRAME_STORED : STORED)
    out.number(answer.id)
    out.byte(COMMA)
    if (!isOfFrame) {
      out.number(answer.seq)
      out.byte(COMMA)
    }
    out.number(answer.at)
  }

  finish(): void {
    this.#out.byte(CLOSE)
  }

  #optional(text: string | undefined): void {
    if (text === undefined) this.#out.put(NULL)
    else {
      this.#out.byte(COMMA)
      this.#out.json(text)
    }
  }

  #list(users: readonly string[]): void {
    const out = this.#out
    out.byte(OPEN)
    for (let i = 0; i < users.length; i++) {
      if (i > 0) out.byte(COMMA)
      out.json(users[i] as string)
    }
    out.byte(CLOSE)
  }
}

function comesNext(before: Frame, frame: Frame): boolean {
  return (
    before.conversation === frame.conversation &&
    before.seq !== undefined &&
    before.seq + 1 === frame.seq &&
    before.except === frame.except &&
    before.cursor === undefined &&
    frame.cursor === undefined &&
    before.again === undefined &&
    frame.again === undefined &&
    areSame(before.users, frame.users)
  )
}

function areSame(users: readonly string[], others: readonly string[]): boolean {
  // Unchanged it is mostly the very same array.
  if (users === others) return true
  if (users.length !== others.length) return false
  for (let i = 0; i < users.length; i++) if (users[i] !== others[i]) return false
  return true
}

/**
 * The items of a header; frames that are for the same users share them.
 *
 * @throws when it is none
 */
export function readHeader(header: string): { from: string; items: (FrameItem | AnswerItem)[] } {
  const values: unknown = JSON.parse(header)
  if (!Array.isArray(values) || typeof values[0] !== 'string') throw new Error('not the header of a delivery')
  const items: (FrameItem | AnswerItem)[] = []
  let before: FrameItem | undefined
  let at = 1
  while (at < values.length) {
    const kind = values[at]
    if (kind === KIND.nextFrame && before?.seq !== undefined) {
      before = { ...before, size: values[at + 1], seq: before.seq + 1 }
      items.push(before)
      at += 2
    } else if (kind === KIND.frameStored && before?.seq !== undefined) {
      items.push({ kind: 'answer', answer: { id: values[at + 1], seq: before.seq, at: values[at + 2] } })
      at += 3
    } else if (kind === KIND.frame && Array.isArray(values[at + 2])) {
      before = frameOf(values, at + 1)
      items.push(before)
      at += 7
    } else if (kind === KIND.stored) {
      items.push({ kind: 'answer', answer: { id: values[at + 1], seq: values[at + 2], at: values[at + 3] } })
      at += 4
    } else if (kind === KIND.answer && values[at + 1] !== null && typeof values[at + 1] === 'object') {
      items.push({ kind: 'answer', answer: values[at + 1] })
      at += 2
    } else throw new Error('an unreadable item in the header of a delivery')
  }
  return { from: values[0], items }
}

// biome-ignore lint/suspicious/noExplicitAny: as parsed; it comes from our own processes, under NATS permissions.
function frameOf(values: any[], at: number): FrameItem {
  const item: FrameItem = { kind: 'frame', size: values[at], users: values[at + 1] }
  if (values[at + 2] !== null) item.conversation = values[at + 2]
  if (values[at + 3] !== null) item.seq = values[at + 3]
  if (values[at + 4] !== null) item.except = values[at + 4]
  const rare = values[at + 5]
  if (rare?.cursor) item.cursor = rare.cursor
  if (rare?.again) item.again = rare.again
  return item
}
