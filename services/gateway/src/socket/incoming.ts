import { frame } from '@qunxin/contracts'

export interface Incoming {
  tag: string
  data: unknown
}

/** A text frame's one JSON object; undefined when it is none, or binary, or its tag is none. */
export function readFrame(data: Buffer, isBinary: boolean): Incoming | undefined {
  if (isBinary) return undefined
  try {
    const parsed = frame.safeParse(JSON.parse(data.toString()))
    return parsed.success ? { tag: parsed.data.tag, data: parsed.data.data } : undefined
  } catch {
    return undefined
  }
}
