import { z } from 'zod'
import { aboutConversation, conversationFields, upTo } from '../ids.ts'
import { msgModel } from '../models.ts'
import { operation } from '../operation.ts'

/** Unread is counted no further. */
export const UNREAD_MOST = 999

const named = { sessionId: z.string(), peerUserId: z.number() }

export const conversationEntry = z.object({
  ...named,
  lastSeq: z.number(),
  /** Left out when nothing of the conversation may be seen. */
  lastMessage: msgModel.optional(),
  deliveredSeq: z.number(),
  readSeq: z.number(),
  /** Messages of others behind readSeq. */
  unread: z.number(),
  /** No notifications wanted. */
  muted: z.literal(true).optional(),
})
export type ConversationEntry = z.infer<typeof conversationEntry>

/** §5: the caller's conversations that have messages, the newest first. */
export const conversationList = operation('message.conversationList', {
  input: z.object({ after: z.string().max(128).optional() }),
  output: z.object({
    conversations: z.array(conversationEntry),
    /** Into `after` of the next page; left out on the last. */
    next: z.string().optional(),
  }),
  errors: [],
})

/** How many positions one sync names, and how many new conversations it is told of, at most. */
export const SYNC_LIMITS = { positions: 500, new: 500 }

/** Why a position cannot be gone on from: everything is read anew from `lastSeq` backwards. */
export const resetReason = z.enum(['notAMember', 'ahead', 'expired'])

export const syncPosition = z.discriminatedUnion('status', [
  z.object({ ...named, status: z.literal('current') }),
  z.object({ ...named, status: z.literal('messages'), messages: z.array(msgModel), hasMore: z.boolean() }),
  z.object({ ...named, status: z.literal('reset'), lastSeq: z.number(), reason: resetReason }),
])
export type SyncPosition = z.infer<typeof syncPosition>

/** §5: what came behind each position, in the order asked, and which conversations there are besides. */
export const sync = operation('message.sync', {
  input: z.object({
    positions: z
      .array(aboutConversation(z.object({ ...conversationFields, seq: upTo(Number.MAX_SAFE_INTEGER) })))
      .max(SYNC_LIMITS.positions)
      .default([]),
    newAfter: z.string().max(128).optional(),
  }),
  output: z.object({
    positions: z.array(syncPosition),
    new: z.array(z.object({ ...named, lastSeq: z.number() })),
    /** Into `newAfter` of the next sync; left out when these were all. */
    newNext: z.string().optional(),
  }),
  errors: [],
})
