import { z } from 'zod'
import { count, groupId, milliseconds, msgId, orEmpty, receiverId, userId } from '../ids.ts'
import { attachmentFields, chatRecord, msgModel } from '../models.ts'
import { operation } from '../operation.ts'

export const PAGE_SIZE = { default: 50, max: 200 }

/** When a client says it sent, which decides nothing: clocks that count fractions of a millisecond will do. */
const clientTime = z.union([milliseconds, z.number().nonnegative().max(Number.MAX_SAFE_INTEGER).transform(Math.floor)])

/** What `message` and sendMessage carry (seed B, sending a message). fromUserId is the caller. */
export const sendInput = z.object({
  /** Counts only without sessionId, so what is no id is none: who needs it then misses it. */
  toUserId: receiverId.optional().catch(undefined),
  sessionId: orEmpty(groupId),
  msgId,
  msgContentType: z.union([
    z.number().int(),
    z
      .string()
      .regex(/^-?\d{1,15}$/)
      .transform(Number),
  ]),
  contentStr: z.string().default(''),
  sendDate: orEmpty(clientTime),
  ...attachmentFields,
})
export type SendInput = z.output<typeof sendInput>

export const sendOutput = z.object({
  msgId: z.string(),
  sessionId: z.string(),
  peerUserId: z.number(),
  seq: z.number(),
  serverReceiveDate: z.number(),
  state: z.literal(1),
  duplicate: z.literal(true).optional(),
})
export type SendOutput = z.infer<typeof sendOutput>

/** Answered only when MongoDB has it with majority and journal; the same msgId again answers the original. */
export const sendMessage = operation('message.send', {
  input: sendInput,
  output: sendOutput,
  errors: [
    'GROUP_NOT_FOUND',
    'NOT_A_MEMBER',
    'NO_SUCH_RECEIVER',
    'NOT_ALLOWED',
    'MSG_ID_REUSED',
    'MESSAGE_TOO_LONG',
    'UNSUPPORTED_CONTENT',
  ],
})

/** Seed A, call 8: groupId or chatUserId, never both; lastTime or beforeSeq, never both. */
export const loadChatRecords = operation('message.loadChatRecords', {
  input: z
    .object({
      groupId: orEmpty(groupId),
      chatUserId: orEmpty(userId),
      lastTime: orEmpty(milliseconds),
      pageSize: orEmpty(count(PAGE_SIZE.max)),
      beforeSeq: orEmpty(count(Number.MAX_SAFE_INTEGER)),
    })
    .refine((input) => (input.groupId === undefined) !== (input.chatUserId === undefined), {
      path: ['groupId'],
      message: 'groupId or chatUserId is needed, and not both',
    })
    .refine((input) => input.lastTime === undefined || input.beforeSeq === undefined, {
      path: ['beforeSeq'],
      message: 'lastTime and beforeSeq cannot stand together',
    }),
  output: z.object({ recordList: z.array(chatRecord), hasMore: z.boolean() }),
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER'],
})

/** For gateways: a range of one conversation, both ends included, to mend a hole. The gateway has checked nothing. */
export const range = operation('message.range', {
  input: z.object({ conversation: z.string(), fromSeq: z.number().int().min(1), toSeq: z.number().int() }),
  output: z.object({
    messages: z.array(msgModel),
    /** Users who may not read messages up to that seq, nor what such a one is edited to here: the gateway withholds it. */
    late: z.array(z.tuple([z.string(), z.number()])).optional(),
  }),
  errors: [],
})

/** For gateways: what others sent after a user's deliveredSeq, the newest 500, each conversation in order of seq. */
export const backlog = operation('message.backlog', {
  input: z.object({
    userId,
    /**
     * `optional`: when it is not known in time which groups the user is in, the answer goes without them and says
     * groupsMissing. `only`: nothing but the groups. Without it the answer has both, or there is none.
     */
    groups: z.enum(['optional', 'only']).optional(),
  }),
  output: z.object({ messages: z.array(msgModel), groupsMissing: z.literal(true).optional() }),
  errors: [],
})

/**
 * For gateways, which ask about everybody who connects at the same time: `behind` are those for whom there may be a backlog, also when
 * that is not known for sure. With `messages` those who have missed little are not among them: `backlogs` has it. Nobody else has one.
 */
export const behind = operation('message.behind', {
  input: z.object({ userIds: z.array(userId).max(500), messages: z.literal(true).optional() }),
  output: z.object({
    behind: z.array(z.string()),
    backlogs: z.array(z.tuple([z.string(), z.array(msgModel)])).optional(),
  }),
  errors: [],
})
