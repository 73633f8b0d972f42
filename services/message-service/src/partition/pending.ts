import type { ErrorCode, SendAnswer, SendEntry } from '@qunxin/contracts'
import { contentHash } from '../domain/content.ts'
import type { Message, Original } from '../domain/message.ts'
import { number } from '../domain/numbering.ts'

/** A batch of sends being worked on, and where its answers go. */
export interface BatchRun {
  partition: number
  node: string
  number: number
  /** A NATS reply subject takes the answers instead of the node. */
  reply: string | undefined
  /** Sends without an answer yet. */
  unanswered: number
}

/** One send that waits for its answer. */
export interface Pending {
  send: SendEntry
  run: BatchRun
  /** Of the content. */
  hash: string
  /** About what it takes in the database. */
  bytes: number
  /** How often the database has refused it for no reason of ours. */
  faults: number
}

const DOCUMENT_OVERHEAD_BYTES = 300
const BYTES_PER_UNIT = 3

export function pendingOf(send: SendEntry, run: BatchRun): Pending {
  const text = send.utf8?.length ?? send.text.length * BYTES_PER_UNIT
  const attachment = send.attachment ? JSON.stringify(send.attachment).length * BYTES_PER_UNIT : 0
  return { send, run, hash: contentHash(send), bytes: DOCUMENT_OVERHEAD_BYTES + text + attachment, faults: 0 }
}

/** What became of a send, in the order of a conversation. */
export type Outcome =
  | { kind: 'stored'; pending: Pending; message: Message }
  /** The same send as one that was stored before. `quiet`: nobody is told of it again. */
  | { kind: 'duplicate'; pending: Pending; original: Original; quiet: boolean }
  | { kind: 'refused'; pending: Pending; code: ErrorCode; details?: Record<string, unknown> }

export function answerOf(outcome: Outcome): SendAnswer {
  const { id } = outcome.pending.send
  if (outcome.kind === 'refused')
    return { id, code: outcome.code, ...(outcome.details && { details: outcome.details }) }
  if (outcome.kind === 'stored') return { id, seq: outcome.message.seq, at: outcome.message.at }
  return { id, seq: outcome.original.seq, at: outcome.original.at, duplicate: true }
}

/** The message a repeat repeats: it has the original's content, or it would have been refused. */
export function repeatedBy({ pending, original }: Outcome & { kind: 'duplicate' }): Message {
  const { seq, at, hash } = original
  return number(pending.send, { seq: seq - 1, at: at - 1 }, { hash, now: at })
}

/** A repeat of a stored send answers the original, unless its content is another one. */
export function repeatOf(pending: Pending, original: Original, quiet = false): Outcome {
  if (original.hash === pending.hash) return { kind: 'duplicate', pending, original, quiet }
  return { kind: 'refused', pending, code: 'MSG_ID_REUSED' }
}
