import { type ErrorCode, isContentType, type SendEntry } from '@qunxin/contracts'

export interface Limits {
  /** UTF-16 units. */
  textLength: number
}

/** What is wrong with a send whoever sends it; undefined when nothing is (protocol §4.5, §7). */
export function refusalOf(send: SendEntry, limits: Limits): ErrorCode | undefined {
  if (send.group === undefined && (!send.to || send.to === '0' || send.to === send.from)) return 'NO_SUCH_RECEIVER'
  if (!isContentType(send.type)) return 'UNSUPPORTED_CONTENT'
  // It has no text.
  if (send.change?.kind === 'recall') return undefined
  // No text has more units than bytes.
  if (send.utf8 && send.utf8.length > 0 && send.utf8.length <= limits.textLength) return undefined
  if (send.text.length > limits.textLength) return 'MESSAGE_TOO_LONG'
  if (send.type === 1 && send.text.length === 0) return 'BAD_REQUEST'
  return undefined
}
