import { z } from 'zod'
import type { ConversationId } from '../conversation.ts'
import type { ErrorCode } from '../errors.ts'
import type { GroupId, UserId } from '../ids.ts'
import type { Attachment, ContentType, MessageChange } from '../models.ts'

/** One message on its way from a gateway to the partition owner. */
export interface SendEntry {
  /** The gateway's own number for it; comes back in the answer. */
  id: number
  /** The connection it came from, left out of the fan-out; empty for HTTP and services. */
  conn: string
  conversation: ConversationId
  from: UserId
  /** Personal messages only. */
  to?: UserId
  /** Group messages only. */
  group?: GroupId
  msgId: string
  type: ContentType
  text: string
  /** The text as UTF-8, if it is there and JSON would write it the same between its quotes. */
  utf8?: Uint8Array
  attachment?: Attachment
  /** The client's clock, milliseconds. */
  sentAt?: number
  /** A recall or an edit, whose author and time were checked. */
  change?: MessageChange
}

/** subjects.partitionSend. Answers go to the reply subject when the batch has one, else to `node` by its deliver subject. */
export interface SendBatch {
  node: string
  /** Rises by one per batch of this node and partition; a repeat carries the same number. */
  batch: number
  sends: SendEntry[]
}

/** What became of one send; `id` is the entry's. */
export type SendAnswer =
  | { id: number; seq: number; at: number; duplicate?: true }
  | { id: number; code: ErrorCode; details?: Record<string, unknown> }

/** Batches come from our own processes under NATS permissions: only the frame of the batch is checked. */
export const sendBatch = z.object({ node: z.string(), batch: z.number(), sends: z.array(z.custom<SendEntry>()) })

/** The most one batch may carry, in bytes of JSON and in entries (NATS carries 1 MiB). */
export const BATCH_LIMITS = { bytes: 512 * 1024, entries: 1000 }
