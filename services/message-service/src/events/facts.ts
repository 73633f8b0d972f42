import { type ByteWriter, EVENT_LIMITS, type OfflineFact, ready, type StoredFact } from '@qunxin/contracts'
import { isPlain, type Message } from '../domain/message.ts'
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

const AT = ready('{"at":')
const SESSION = ready(',"sessionId":')
const FROM = ready(',"fromUserId":')
const TO = ready(',"toUserId":')
const MSG_ID = ready(',"msgId":')
const SEQ = ready(',"seq":')
const TYPE = ready(',"msgContentType":')
const TEXT = ready(',"contentStr":')
const END = ready('}')

/** Writes {@link storedFact} as JSON, made without it where that is easy. */
export function writeFact(out: ByteWriter, message: Message): void {
  if (isPlain(message)) writePlain(out, message)
  else out.text(JSON.stringify(storedFact(message)))
}

function writePlain(out: ByteWriter, message: Message): void {
  const { at, group = '', from, to = '', msgId, seq, type, utf8 } = message
  out.put(AT)
  out.number(at)
  out.put(SESSION)
  out.json(group)
  out.put(FROM)
  out.json(from)
  out.put(TO)
  out.json(to)
  out.put(MSG_ID)
  out.json(msgId)
  out.put(SEQ)
  out.number(seq)
  out.put(TYPE)
  out.number(type)
  out.put(TEXT)
  if (utf8) out.quoted(utf8)
  else out.json(message.text)
  out.put(END)
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
