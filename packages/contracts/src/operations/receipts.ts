import { z } from 'zod'
import { aboutConversation, conversationFields, count, upTo } from '../ids.ts'
import { messageState } from '../models.ts'
import { operation } from '../operation.ts'

const seq = count(Number.MAX_SAFE_INTEGER)
const upToSeq = aboutConversation(z.object({ ...conversationFields, seq }))
const nothing = z.object({})

/** §5: everything up to seq has reached the caller. Answered when it is stored; the socket's tag has no answer. */
export const messageReceived = operation('message.messageReceived', {
  input: upToSeq,
  output: nothing,
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER'],
})

/** §5: the caller has read up to seq, on all devices. Answered when it is stored; the socket's tag has no answer. */
export const messageRead = operation('message.messageRead', {
  input: upToSeq,
  output: nothing,
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER'],
})

export const RECEIPTS_PER_PAGE = 200

/** §5: who has had and read a message, whoever was a member when it was sent and still is, without its author. */
export const queryReceipts = operation('message.queryReceipts', {
  input: aboutConversation(z.object({ ...conversationFields, seq, after: upTo(Number.MAX_SAFE_INTEGER).optional() })),
  output: z.object({
    deliveredCount: z.number(),
    readCount: z.number(),
    total: z.number(),
    /** By user id. */
    members: z.array(z.object({ userId: z.number(), state: messageState })),
    /** Into `after` of the next page; left out on the last. */
    next: z.number().optional(),
  }),
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER', 'MESSAGE_NOT_FOUND'],
})
