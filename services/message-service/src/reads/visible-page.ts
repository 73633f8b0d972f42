import type { ConversationId } from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'
import { rangesOf, timesIn, type Visible } from '../domain/visibility.ts'
import type { MessageLog } from '../store/message-log.ts'
import { seqsOfTimes } from './seqs-of-times.ts'

export interface PageOptions {
  visible: Visible
  /** The page behind this time (ms): the oldest messages of it. */
  lastTime?: number | undefined
  /** Without lastTime: the newest messages below this seq. */
  beforeSeq?: number | undefined
  limit: number
}

/** One page of what may be seen of a conversation, oldest first. It is empty only where there is no more. */
export async function visiblePage(
  log: Pick<MessageLog, 'after' | 'newest' | 'oldest' | 'seqsAt'>,
  conversation: ConversationId,
  { visible, lastTime, beforeSeq, limit }: PageOptions,
): Promise<Message[]> {
  if (visible === undefined && lastTime !== undefined) return log.after(conversation, lastTime, limit)
  const below = beforeSeq === undefined ? {} : { toSeq: beforeSeq - 1 }
  if (visible === undefined) return log.newest(conversation, { ...below, limit, changes: false })

  // What is known by time only is looked up, and with it where the page begins: one question to the log.
  const times = timesIn(visible)
  if (lastTime !== undefined) times.push(lastTime)
  const seqAt = await seqsOfTimes(log, conversation, times)
  const within = rangesOf(visible, seqAt)
  return lastTime === undefined
    ? log.newest(conversation, { ...below, within, limit, changes: false })
    : log.oldest(conversation, { within, fromSeq: seqAt(lastTime) + 1, limit, changes: false })
}
