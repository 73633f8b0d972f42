import {
  type ContentType,
  contentTypes,
  type ErrorCode,
  groupConversation,
  isContentType,
  nameFor,
  personalConversation,
  type SendAnswer,
  type SendEntry,
  type SendInput,
  type SendOutput,
  type UserId,
} from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'

const TEXT = 1 satisfies ContentType

/** A send whose gateway has not numbered it yet: `id` is 0. */
export type NewSend = SendEntry

/** What names a send within its row: one connection's sends into one conversation. */
export type SendInRow = Pick<NewSend, 'conn' | 'conversation' | 'msgId'>

/** Hands a send to its partition; `done` is called once, after the commit or with the refusal. */
export interface SubmitSend {
  submit(entry: NewSend, done: (answer: SendAnswer) => void): void
  /** A send was refused for now before it came this far: what its connection sends behind it is refused likewise. */
  refused(send: SendInRow, code: ErrorCode): void
}

/**
 * Seed B: an empty sessionId means a personal message, else it is the group and toUserId does not count.
 *
 * @throws AppError BAD_REQUEST without a receiver or a text, NO_SUCH_RECEIVER for oneself or 0, UNSUPPORTED_CONTENT
 */
export function entryOf(input: SendInput, from: UserId, conn: string): NewSend {
  const type = input.msgContentType
  if (!isContentType(type)) throw new AppError('UNSUPPORTED_CONTENT')
  if (type === TEXT && input.contentStr === '') throw new AppError('BAD_REQUEST', { details: { field: 'contentStr' } })
  const content = {
    id: 0,
    conn,
    from,
    msgId: input.msgId,
    type,
    text: input.contentStr,
    ...attachmentOf(input, contentTypes[type].fields),
    ...(input.sendDate !== undefined && { sentAt: input.sendDate }),
  }
  return { ...content, ...receiverOf(input, from) }
}

/**
 * The conversation a send goes to, and who or which group that is.
 *
 * @throws AppError BAD_REQUEST without a receiver, NO_SUCH_RECEIVER for oneself or 0
 */
export function receiverOf(
  { sessionId: group, toUserId: to }: Pick<SendInput, 'sessionId' | 'toUserId'>,
  from: UserId,
) {
  if (group !== undefined) return { conversation: groupConversation(group), group }
  if (to === undefined) throw new AppError('BAD_REQUEST', { details: { field: 'toUserId' } })
  if (to === '0' || to === from) throw new AppError('NO_SUCH_RECEIVER')
  return { conversation: personalConversation(from, to), to }
}

/** @throws AppError with the refusal the answer carries */
export function outputOf(entry: NewSend, answer: SendAnswer): SendOutput {
  if ('code' in answer) throw new AppError(answer.code, { details: answer.details })
  return {
    msgId: entry.msgId,
    ...nameFor(entry.conversation, entry.from),
    seq: answer.seq,
    serverReceiveDate: answer.at,
    state: 1,
    ...(answer.duplicate && { duplicate: true }),
  }
}

/** Only the fields the type has: what else a client sent is not stored, and does not make a resend differ. */
function attachmentOf(input: SendInput, fields: readonly (keyof NonNullable<SendEntry['attachment']>)[]) {
  const given = fields.filter((field) => input[field] !== undefined).map((field) => [field, input[field]])
  return given.length === 0 ? {} : { attachment: Object.fromEntries(given) as NonNullable<SendEntry['attachment']> }
}
