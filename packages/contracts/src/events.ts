import { z } from 'zod'
import { attachmentFields, messageChange } from './models.ts'

/** `im.event.group.*`: facts after the fact, at least once, with Nats-Msg-Id. Ids are strings. */
export const groupFact = z.object({
  at: z.number(),
  groupId: z.string(),
  userIds: z.array(z.string()).optional(),
  byUserId: z.string().optional(),
})
export type GroupFactData = z.infer<typeof groupFact>

const messageFact = {
  at: z.number(),
  /** Empty for a personal message, else the group id. */
  sessionId: z.string(),
  fromUserId: z.string(),
  /** Empty for a group message. */
  toUserId: z.string(),
  msgId: z.string(),
  seq: z.number(),
  msgContentType: z.number(),
  contentStr: z.string(),
  ...attachmentFields,
}

/** In `im.event.message.stored`: a message, or a recall or an edit of one. The conversation and seq name the fact for ever. */
export const storedFact = z.object({ ...messageFact, change: messageChange.optional() })
export type StoredFact = z.infer<typeof storedFact>

/**
 * In `im.event.message.offline`: these users had no connection that confirmed the message. A user may be told of twice; the
 * conversation, seq and user tell.
 */
export const offlineFact = z.object({
  ...messageFact,
  userIds: z.array(z.string()),
  /** Those of them who muted the conversation; left out when nobody did. */
  mutedUserIds: z.array(z.string()).optional(),
})
export type OfflineFact = z.infer<typeof offlineFact>

/** One event carries an array of facts of at most so many bytes, and so many users who were offline. */
export const EVENT_LIMITS = { bytes: 512 * 1024, offlineUsers: 500 }

/** The JetStream stream behind `im.event.>`. */
export const EVENTS_STREAM = { name: 'IM_EVENTS', maxAgeHours: 72 }
