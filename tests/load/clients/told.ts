import { conversationNamed, groupConversation, type MessageStatePush } from '@qunxin/contracts'
import type { History } from '../history.ts'

/** Writes down how far somebody is said to be, or how many have had and read a message. */
export function writeTold(
  history: History,
  { index, userId: self }: { index: number; userId: number },
  state: MessageStatePush,
): void {
  const { sessionId } = state
  if (!('readSeq' in state)) {
    const { seq, deliveredCount: delivered, readCount: read, total } = state
    const conversation = history.conversation(groupConversation(sessionId))
    history.showedTally(index, conversation, { seq, delivered, read, total })
    return
  }
  const { peerUserId, deliveredSeq: delivered, readSeq: read, own } = state
  const id = conversationNamed({ sessionId, peerUserId }, String(self))
  const userId = own ? self : peerUserId
  history.showedCursor(index, history.conversation(id), { userId, delivered, read })
}
