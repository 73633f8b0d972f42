import type { ErrorCode, SendAnswer, SendEntry } from '@qunxin/contracts'

export type OnAnswer = (answer: SendAnswer) => void

/** One send that has no answer yet. */
export interface PendingSend {
  readonly entry: SendEntry
  /** About what the entry takes on the wire. */
  readonly bytes: number
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  readonly done: OnAnswer
  /** False once it was answered, or ended here. */
  open: boolean
}

/** Sends that end here rather than at the owner. */
export interface Ending {
  pending: PendingSend
  code: ErrorCode
}

/** Are both from one connection into one conversation, so that the later may not overtake the earlier? */
export function inOneRow(one: SendEntry, other: SendEntry): boolean {
  return one.conn !== '' && one.conn === other.conn && one.conversation === other.conversation
}
