import type { ConversationId } from '@qunxin/contracts'
import type { MessageLog } from '../store/message-log.ts'

/** The seq of a conversation's newest message that is not later, for each of these times: one question to the log. */
export async function seqsOfTimes(
  log: Pick<MessageLog, 'seqsAt'>,
  conversation: ConversationId,
  times: readonly number[],
): Promise<(time: number) => number> {
  const found = await log.seqsAt(times.map((time) => ({ conversation, time })))
  const seqs = new Map(times.map((time, index) => [time, found[index] ?? 0]))
  return (time) => seqs.get(time) ?? 0
}
