import { z } from 'zod'

const receipt = z.object({
  user: z.string(),
  conversation: z.string(),
  /** Everything up to here has reached the user. */
  delivered: z.number().int().nonnegative().optional(),
  /** The user has read up to here, which it has reached. */
  read: z.number().int().nonnegative().optional(),
  /** The connection that read, which need not be told. */
  conn: z.string().optional(),
  /** The user has no other connection on that node. */
  alone: z.literal(true).optional(),
})
export type Receipt = z.output<typeof receipt>

/**
 * subjects.partitionReceipt: cumulative, so that the furthest of several says all. The owner answers a batch with a reply
 * subject once what counts of it is stored; without an answer it is sent again, to whoever is the owner then.
 */
export const receiptBatch = z.object({
  /** The gateway it comes from; left out by others. */
  node: z.string().optional(),
  receipts: z.array(receipt),
})
export type ReceiptBatch = z.output<typeof receiptBatch>
