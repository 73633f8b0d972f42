import type { MessageAck, MsgModel } from '@qunxin/contracts'

/** Undefined for what is no frame. */
export function parseFrame(text: string): { tag: string; data?: unknown } | undefined {
  try {
    const frame = JSON.parse(text)
    return typeof frame?.tag === 'string' ? frame : undefined
  } catch {
    return undefined
  }
}

/** Whether that is there which is looked at. */
export function isMessage(data: unknown): data is MsgModel {
  const { seq, msgId, fromUserId, contentStr, serverReceiveDate } = (data ?? {}) as Record<string, unknown>
  const numbers = [seq, fromUserId, serverReceiveDate].every((value) => typeof value === 'number')
  return numbers && typeof msgId === 'string' && typeof contentStr === 'string'
}

export function isAck(data: unknown): data is MessageAck {
  const { seq, msgId, serverReceiveDate, code } = (data ?? {}) as Record<string, unknown>
  if (typeof msgId !== 'string') return false
  return typeof code === 'number' || (typeof seq === 'number' && typeof serverReceiveDate === 'number')
}
