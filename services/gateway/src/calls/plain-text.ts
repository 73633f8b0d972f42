import { groupConversation, personalConversation, type UserId } from '@qunxin/contracts'
import type { NewSend } from './send-call.ts'

const MSG_ID = /^[A-Za-z0-9_-]{1,64}$/
const GROUP_ID = /^\d{1,20}$/

interface Data {
  userId?: unknown
  fromUserId?: unknown
  toUserId?: unknown
  sessionId?: unknown
  msgId?: unknown
  msgContentType?: unknown
  contentStr?: unknown
  sendDate?: unknown
  url?: unknown
  filename?: unknown
  secret?: unknown
  length?: unknown
  lat?: unknown
  lng?: unknown
  addr?: unknown
}

/**
 * The text message that nearly all clients send nearly always, read without the schema: the very entry that `entryOf` makes
 * of it behind `sendInput`. Undefined for anything else, right or wrong: that is for the schema to say.
 */
export function plainText(data: unknown, from: UserId, conn: string): NewSend | undefined {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined
  const { userId, fromUserId, toUserId, sessionId, msgId, msgContentType, contentStr: text, sendDate } = data as Data
  if (msgContentType !== '1' && msgContentType !== 1) return undefined
  if (typeof text !== 'string' || text === '') return undefined
  if (typeof msgId !== 'string' || !MSG_ID.test(msgId)) return undefined
  if (!isId(fromUserId, from) || !isId(userId, from) || hasAttachment(data)) return undefined
  if (!Number.isSafeInteger(sendDate) || (sendDate as number) < 0) return undefined
  const sentAt = sendDate as number
  if (sessionId === '' || sessionId === undefined) {
    if (!Number.isSafeInteger(toUserId) || (toUserId as number) <= 0) return undefined
    const to = String(toUserId)
    if (to === from) return undefined
    return { id: 0, conn, from, msgId, type: 1, text, sentAt, conversation: personalConversation(from, to), to }
  }
  if (typeof sessionId !== 'string' || !GROUP_ID.test(sessionId)) return undefined
  const conversation = groupConversation(sessionId)
  return { id: 0, conn, from, msgId, type: 1, text, sentAt, conversation, group: sessionId }
}

function isId(value: unknown, user: UserId): boolean {
  return value === undefined || (typeof value === 'number' && String(value) === user)
}

/** Of no use to a text, but a wrong one is told. */
function hasAttachment({ url, filename, secret, length, lat, lng, addr }: Data): boolean {
  return (
    url !== undefined ||
    filename !== undefined ||
    secret !== undefined ||
    length !== undefined ||
    lat !== undefined ||
    lng !== undefined ||
    addr !== undefined
  )
}
