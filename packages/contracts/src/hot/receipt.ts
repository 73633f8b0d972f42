import { z } from 'zod'

/** subjects.partitionReceipt: cumulative; everything up to `delivered` has reached the user. */
export const receiptBatch = z.object({
  receipts: z.array(z.object({ user: z.string(), conversation: z.string(), delivered: z.number() })),
})
export type ReceiptBatch = z.infer<typeof receiptBatch>
