import type { ConversationId } from '@qunxin/contracts'
import type { MessageLog } from '../store/message-log.ts'

export interface NewestOptions {
  log: Pick<MessageLog, 'heads'>
  /** The newest seq of a conversation, where it is in memory. */
  known(conversation: ConversationId): number | undefined
}

/** Up to where the receipts of each conversation count: nobody has read what is not there. A conversation without messages is left out. */
export async function newestFor(
  { log, known }: NewestOptions,
  receipts: Iterable<{ conversation: ConversationId; delivered: number }>,
): Promise<Map<ConversationId, number>> {
  const newest = new Map<ConversationId, number>()
  const unknown = new Set<ConversationId>()
  for (const { conversation, delivered } of receipts) {
    const seq = known(conversation)
    if (seq !== undefined) newest.set(conversation, seq)
    // What is in memory may lag behind another owner's log: only the log itself lowers a receipt.
    if (seq === undefined || seq < delivered) unknown.add(conversation)
  }
  for (const { conversation, seq } of await log.heads([...unknown]))
    newest.set(conversation, Math.max(seq, newest.get(conversation) ?? 0))
  return newest
}
