import { type ConversationId, type MessageStatePush, nameFor, peerOf, type UserId } from '@qunxin/contracts'
import type { Cursor } from '../domain/present.ts'
import type { StatePush } from './place.ts'

const TAG = 'messageState'

/** Tells the other user of a personal conversation how far this one is. */
export function peerState(conversation: ConversationId, user: UserId, cursor: Cursor): StatePush {
  const peer = peerOf(conversation, user) ?? ''
  const data = { sessionId: '', peerUserId: Number(user), ...cursor } satisfies MessageStatePush
  return { tag: TAG, data, to: { users: [peer] }, conversation, cursor: marked(user, cursor) }
}

/** Tells the user's other connections how far they are. */
export function ownState(
  conversation: ConversationId,
  user: UserId,
  { cursor, except }: { cursor: Cursor; except: string | undefined },
): StatePush {
  const data = { ...nameFor(conversation, user), ...cursor, own: true } satisfies MessageStatePush
  const push: StatePush = { tag: TAG, data, to: { users: [user] }, conversation, cursor: marked(user, cursor) }
  if (except !== undefined) push.except = except
  return push
}

export interface Counts {
  author: UserId
  seq: number
  deliveredCount: number
  readCount: number
  total: number
}

/** Tells the author of a group message who has had and read it. While the members are the same, no count goes back. */
export function countsState(conversation: ConversationId, { author, ...counts }: Counts, version: number): StatePush {
  const { seq, deliveredCount: delivered, readCount: read } = counts
  const { sessionId } = nameFor(conversation, author)
  const data = { sessionId, ...counts } satisfies MessageStatePush
  return {
    tag: TAG,
    data,
    to: { users: [author] },
    conversation,
    cursor: { of: `${seq}@${version}`, delivered, read },
  }
}

function marked(of: UserId, { deliveredSeq, readSeq }: Cursor) {
  return { of, delivered: deliveredSeq, read: readSeq }
}
