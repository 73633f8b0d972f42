import { ScannedMessage } from './scanned-message.ts'

export interface Incoming {
  tag: string
  data: unknown
  /** Of the whole frame. */
  bytes: number
}

const LONGEST_TAG = 64

/** A text frame's one JSON object, as the schema `frame` has it; undefined when it is none, or binary, or its tag is none. */
export function readFrame(data: Buffer, isBinary: boolean): Incoming | undefined {
  if (isBinary) return undefined
  const message = ScannedMessage.read(data)
  if (message) return message
  const parsed = parsedFrom(data)
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const { tag, data: content } = parsed as { tag?: unknown; data?: unknown }
  if (typeof tag !== 'string' || tag === '' || tag.length > LONGEST_TAG) return undefined
  return { tag, data: content, bytes: data.length }
}

function parsedFrom(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString())
  } catch {
    return undefined
  }
}
