import { z } from 'zod'

/** A user id as the system keeps it: the decimal digits of 1 … 2^53−1, no leading zero. */
export type UserId = string
/** A group id: digits, made by group-service, never reused. */
export type GroupId = string

const safeDigits = (value: string) => Number.isSafeInteger(Number(value)) && Number(value) > 0

/** Both edges accept a number or a string of digits (protocol §1); what comes out is the decimal string. */
export const userId = z
  .union([z.number().int().positive(), z.string().regex(/^[1-9]\d{0,15}$/)])
  .refine((value) => safeDigits(String(value)), 'must be an integer from 1 to 2^53-1')
  .transform(String)

/** As {@link userId}, but 0 passes: who sends to 0 is answered NO_SUCH_RECEIVER, not BAD_REQUEST. */
export const receiverId = z
  .union([z.number().int().nonnegative(), z.string().regex(/^(0|[1-9]\d{0,15})$/)])
  .refine((value) => Number.isSafeInteger(Number(value)), 'must be an integer from 0 to 2^53-1')
  .transform(String)

export const groupId = z
  .union([z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER), z.string().regex(/^\d{1,20}$/)])
  .transform(String)

/** Made by the client; the key of idempotency within sender and conversation. */
export const msgId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)

/** Seed B's clients make it up; it comes back as it was, so both forms they use pass. */
export const taskId = z.union([z.string().max(128), z.number()])

/** Milliseconds since 1970, as a number or a string of digits. */
export const milliseconds = z.union([
  z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number),
])

const numberOrDigits = z.union([
  z.number(),
  z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number),
])

/** A number from 1 to `most`, or the digits of one. */
export const count = (most: number) => numberOrDigits.pipe(z.number().int().min(1).max(most))

/** A number from 0 to `most`, or the digits of one. */
export const upTo = (most: number) => numberOrDigits.pipe(z.number().int().min(0).max(most))

/** An optional id that clients of seed A send as "" when they mean none. */
export const orEmpty = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' || value === null ? undefined : value), schema.optional())

/** How §5's frames name a conversation: the group, or without one the other user. */
export const conversationFields = { sessionId: orEmpty(groupId), peerUserId: orEmpty(receiverId) }

interface NamesConversation {
  sessionId?: GroupId | undefined
  peerUserId?: UserId | undefined
}

/** An object with {@link conversationFields}, one of which says something. */
export const aboutConversation = <T extends z.ZodType<NamesConversation>>(schema: T) =>
  schema.refine(({ sessionId, peerUserId }) => sessionId !== undefined || (peerUserId ?? '0') !== '0', {
    path: ['peerUserId'],
    message: 'sessionId or peerUserId is needed',
  })
