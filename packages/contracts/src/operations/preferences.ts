import { z } from 'zod'
import { aboutConversation, conversationFields, upTo, userId } from '../ids.ts'
import { operation } from '../operation.ts'

const nothing = z.object({})

/** Extension: from the answer on the other user's personal messages to the caller are refused NOT_ALLOWED. */
export const blockUser = operation('message.blockUser', {
  input: z.object({ blockUserId: userId }),
  output: nothing,
  errors: ['NO_SUCH_RECEIVER'],
})

/** Extension: from the answer on the other user's personal messages are taken again; those refused meanwhile stay refused. */
export const unblockUser = operation('message.unblockUser', {
  input: z.object({ blockUserId: userId }),
  output: nothing,
  errors: ['NO_SUCH_RECEIVER'],
})

export const BLOCKED_PER_PAGE = 500

/** Extension: whom the caller blocks, by id. */
export const blockList = operation('message.blockList', {
  input: z.object({ after: upTo(Number.MAX_SAFE_INTEGER).optional() }),
  output: z.object({
    userIds: z.array(z.number()),
    /** Into `after` of the next page; left out on the last. */
    next: z.number().optional(),
  }),
  errors: [],
})

/** Extension: whether a push provider may make a noise; carried in `im.event.message.offline`. */
export const muteConversation = operation('message.muteConversation', {
  input: aboutConversation(z.object({ ...conversationFields, muted: z.boolean() })),
  output: nothing,
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER', 'NO_SUCH_RECEIVER'],
})
