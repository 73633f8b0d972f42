import { frame } from '@qunxin/contracts'

export interface Incoming {
  tag: string
  data: unknown
  /** Of the whole frame. */
  bytes: number
}

/** A text frame's one JSON object; undefined when it is none, or binary, or its tag is none. */
export function readFrame(data: Buffer, isBinary: boolean): Incoming | undefined {
  if (isBinary) return undefined
  try {
    const parsed = frame.safeParse(JSON.parse(data.toString()))
    return parsed.success ? { ...parsed.data, bytes: data.length } : undefined
  } catch {
    return undefined
  }
}
