import { actorOf, type Bus, type CallContext } from '@qunxin/bus'
import {
  groupConversation,
  isContentType,
  nameFor,
  partitionOf,
  personalConversation,
  type SendAnswer,
  type SendBatch,
  type SendEntry,
  type SendInput,
  type SendOutput,
  subjects,
  type UserId,
} from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import { ownersAnswer } from './asking.ts'

/**
 * Has one entry stored by the partition's owner, whichever instance that is, until `deadline` (ms since 1970).
 *
 * @throws AppError what it was refused with, or TIMEOUT
 */
export type AskToSend = (send: SendEntry, deadline: number) => Promise<Extract<SendAnswer, { seq: number }>>

export function askToSend(options: { bus: Bus; instance: string; partitions: number }): AskToSend {
  const { bus, instance, partitions } = options
  let batches = 0
  return async (send, deadline) => {
    const batch: SendBatch = { node: instance, batch: ++batches, sends: [send] }
    const subject = subjects.partitionSend(partitionOf(send.conversation, partitions))
    const [answer] = (await ownersAnswer(bus, subject, { asked: batch, deadline })) as SendAnswer[]
    if (!answer) throw new AppError('TIMEOUT')
    if ('code' in answer) throw new AppError(answer.code, { details: answer.details })
    return answer
  }
}

/** message.send for other services. */
export function sender(ask: AskToSend) {
  return async (input: SendInput, context: CallContext): Promise<SendOutput> => {
    const user = actorOf(context)
    const send = entryOf(input, user)
    const answer = await ask(send, context.deadline)
    return {
      msgId: send.msgId,
      ...nameFor(send.conversation, user),
      seq: answer.seq,
      serverReceiveDate: answer.at,
      state: 1,
      ...(answer.duplicate && { duplicate: true as const }),
    }
  }
}

function entryOf(input: SendInput, from: UserId): SendEntry {
  const { toUserId, sessionId, msgId, msgContentType: type, contentStr: text, sendDate, ...attachment } = input
  if (!isContentType(type)) throw new AppError('UNSUPPORTED_CONTENT')
  if (type === 1 && text === '') throw new AppError('BAD_REQUEST', { details: { field: 'contentStr' } })
  const entry = {
    id: 0,
    conn: '',
    from,
    msgId,
    type,
    text,
    attachment,
    ...(sendDate !== undefined && { sentAt: sendDate }),
  }
  if (sessionId !== undefined) return { ...entry, conversation: groupConversation(sessionId), group: sessionId }
  if (toUserId === undefined) throw new AppError('BAD_REQUEST', { details: { field: 'toUserId' } })
  return { ...entry, conversation: personalConversation(from, toUserId), to: toUserId }
}
