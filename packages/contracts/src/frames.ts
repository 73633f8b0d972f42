import { z } from 'zod'
import { milliseconds, msgId, orEmpty, type taskId, userId } from './ids.ts'
import type { MsgModel } from './models.ts'

/** Seed B: every frame, both ways. canConnect and other tags without input may leave `data` out. */
export const frame = z.object({ tag: z.string().min(1).max(64), data: z.unknown().default(undefined) })

/** Seed B, binding. accessToken and sync are extensions. */
export const getUserId = z.object({
  userId,
  accessToken: orEmpty(z.string()),
  sync: orEmpty(z.boolean()),
})

/** What a request with taskId is answered with; `result` is absent for updateGroupInfo, deleteGroup and refusals. */
export interface Answer {
  code: number
  taskId?: z.output<typeof taskId> | undefined
  result?: unknown
  info?: string
  details?: unknown
}

/** messageAck (extension): the send's outcome. */
export type MessageAck =
  | {
      msgId: string
      sessionId: string
      peerUserId: number
      seq: number
      serverReceiveDate: number
      state: 1
      duplicate?: true
    }
  | {
      msgId: string
      code: number
      info: string
      /** Of RATE_LIMITED: when another attempt may pass. */
      details?: { retryAfterMs: number }
    }

export interface Bound {
  userId: number
  sessionKey: string
  serverTime: number
}

/**
 * messageState push. Personal: how far the other user is, `peerUserId`; with `own: true` how far one is oneself, by another
 * device. Group: who has had and read one's own message `seq`.
 */
export type MessageStatePush =
  | { sessionId: string; peerUserId: number; deliveredSeq: number; readSeq: number; own?: true }
  | { sessionId: string; seq: number; deliveredCount: number; readCount: number; total: number }

/** typing push: `userId` is writing in this conversation; `peerUserId` is the same user, or 0 in a group. */
export interface TypingPush {
  sessionId: string
  peerUserId: number
  userId: number
}

/**
 * The tag under which an entry of the log is told. A recall or an edit has one of its own: clients that know only the seeds
 * ignore it, and would show it as a message otherwise.
 */
export function messageTag({ change }: Pick<MsgModel, 'change'>): 'message' | 'messageChanged' {
  return change ? 'messageChanged' : 'message'
}

/** `error` push: NOT_BOUND, UNKNOWN_OPERATION, refused bindings and unreadable frames. */
export interface ErrorFrame {
  code: number
  info: string
  tag?: string
  taskId?: z.output<typeof taskId> | undefined
}

/** What a refused `message` frame is answered under: the msgId, if it is a valid one. */
export const namedMessage = z.object({ msgId })

/** seed A's headers. */
export const httpHeaders = z.object({
  uid: userId,
  accessToken: z.string().min(1),
  client: z.string().max(256).optional(),
  expire: milliseconds.optional(),
})

/** Close codes and what a client should do about each. */
export const closeCodes = {
  1001: { name: 'draining', reconnect: 'at once, elsewhere' },
  1008: { name: 'policy', reconnect: 'no' },
  1009: { name: 'frame over the limit', reconnect: 'yes, with smaller frames' },
  4001: { name: 'not authenticated, or not bound in time', reconnect: 'with a valid token' },
  4002: { name: 'token expired', reconnect: 'with a new token' },
  4003: { name: 'revoked', reconnect: 'after signing in again' },
  4008: { name: 'too slow', reconnect: 'yes, then sync' },
  4009: { name: 'too many devices', reconnect: 'no, not by itself' },
  4029: { name: 'flooding', reconnect: 'yes, after a pause' },
} as const
export type CloseCode = keyof typeof closeCodes
