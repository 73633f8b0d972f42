import { setTimeout as delay } from 'node:timers/promises'
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

const PATIENCE_MS = 5_000
const REPEAT_EVERY_MS = 500

/** message.send for other services: asks the partition's owner, whichever instance that is, and repeats until it answers. */
export function sender(options: { bus: Bus; instance: string; partitions: number }) {
  const { bus, instance, partitions } = options
  let batches = 0

  return async (input: SendInput, context: CallContext): Promise<SendOutput> => {
    const user = actorOf(context)
    const send = entryOf(input, user)
    const batch: SendBatch = { node: instance, batch: ++batches, sends: [send] }
    const subject = subjects.partitionSend(partitionOf(send.conversation, partitions))
    const patience = Math.min(PATIENCE_MS, context.deadline - Date.now())
    const answer = await ask(bus, subject, { payload: JSON.stringify(batch), patience })
    if (!answer) throw new AppError('TIMEOUT')
    if ('code' in answer) throw new AppError(answer.code, { details: answer.details })
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

/** Every asking keeps its inbox open until the end, so that an answer to any of them counts. */
async function ask(
  bus: Bus,
  subject: string,
  { payload, patience }: { payload: string; patience: number },
): Promise<SendAnswer | undefined> {
  const until = performance.now() + patience
  const answered = Promise.withResolvers<SendAnswer>()
  const over = new AbortController()
  const asking = async () => {
    for (let left = patience; left > 0 && !over.signal.aborted; left = until - performance.now()) {
      if (bus.connected) {
        void bus.gather(subject, payload, { enough: () => true, timeoutMs: left }).then(([reply]) => {
          if (!reply) return
          const [answer] = JSON.parse(Buffer.from(reply).toString()) as SendAnswer[]
          if (answer) answered.resolve(answer)
        })
      }
      await delay(Math.min(REPEAT_EVERY_MS, left), undefined, { signal: over.signal }).catch(() => {})
    }
    return undefined
  }
  try {
    return await Promise.race([answered.promise, asking()])
  } finally {
    over.abort()
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
