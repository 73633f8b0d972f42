import { z } from 'zod'
import { aboutConversation, conversationFields, userId } from '../ids.ts'
import { operation } from '../operation.ts'

export const PRESENCE_PER_REQUEST = 500

/** Groups with more members are not told who types. */
export const TYPING_GROUP_MOST = 100

/** Extension: the others in the conversation are told that the caller types; nothing is stored. The socket's tag has no answer. */
export const typing = operation('message.typing', {
  input: aboutConversation(z.object({ ...conversationFields })),
  output: z.object({}),
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER', 'NO_SUCH_RECEIVER'],
})

/** Extension: which of the caller's contacts, whom they have a personal conversation with, are online. Others are left out. */
export const queryPresence = operation('message.queryPresence', {
  input: z.object({ userIds: z.array(userId).max(PRESENCE_PER_REQUEST) }),
  output: z.object({ users: z.array(z.object({ userId: z.number(), online: z.boolean() })) }),
  errors: [],
})

/** For services: which of these users have a connection, in the order asked. */
export const getPresence = operation('presence.get', {
  input: z.object({ userIds: z.array(userId).max(PRESENCE_PER_REQUEST) }),
  output: z.object({ users: z.array(z.object({ userId: z.string(), online: z.boolean() })) }),
  errors: [],
})
