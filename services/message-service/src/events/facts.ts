import { EVENT_LIMITS, type OfflineFact, type StoredFact } from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'
import type { Missed } from './message-events.ts'

/** A message as other services are told of it. A recall or an edit carries what it changed. */
export function storedFact(message: Message): StoredFact {
  const { at, group = '', from, to = '', msgId, seq, type, text, attachment, change } = message
  return {
    at,
    sessionId: group,
    fromUserId: from,
    toUserId: to,
    msgId,
    seq,
    msgContentType: type,
    contentStr: text,
    ...attachment,
    ...(change && { change }),
  }
}

/** Who missed a message, in facts of as many users as one event may name. */
export function offlineFacts({ message, users, muted = [] }: Missed): OfflineFact[] {
  const { change: _, ...fields } = storedFact(message)
  const quiet = new Set(muted)
  const facts: OfflineFact[] = []
  for (let at = 0; at < users.length; at += EVENT_LIMITS.offlineUsers) {
    const userIds = users.slice(at, at + EVENT_LIMITS.offlineUsers)
    const mutedUserIds = userIds.filter((user) => quiet.has(user))
    facts.push({ ...fields, userIds, ...(mutedUserIds.length > 0 && { mutedUserIds }) })
  }
  return facts
}
