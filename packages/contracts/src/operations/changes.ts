import { z } from 'zod'
import { aboutConversation, conversationFields, count, msgId } from '../ids.ts'
import { operation } from '../operation.ts'

const seq = count(Number.MAX_SAFE_INTEGER)

/** The change's own place in the conversation. */
const changed = z.object({ seq: z.number(), serverReceiveDate: z.number() })

/** Extension: the author takes the message `seq` back, soon after sending it. Again it answers the same. */
export const recallMessage = operation('message.recallMessage', {
  input: aboutConversation(z.object({ ...conversationFields, seq })),
  output: changed,
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER', 'MESSAGE_NOT_FOUND', 'NOT_ALLOWED', 'TOO_LATE'],
})

/** Extension: the author gives the message `seq` another text. `msgId` names this change and makes it idempotent. */
export const editMessage = operation('message.editMessage', {
  input: aboutConversation(z.object({ ...conversationFields, seq, msgId, contentStr: z.string() })),
  output: changed,
  errors: [
    'GROUP_NOT_FOUND',
    'NOT_A_MEMBER',
    'MESSAGE_NOT_FOUND',
    'NOT_ALLOWED',
    'TOO_LATE',
    'MESSAGE_TOO_LONG',
    'MSG_ID_REUSED',
  ],
})
