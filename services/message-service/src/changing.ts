import { actorOf, type CallContext, type HandlersOf } from '@qunxin/bus'
import {
  type ConversationId,
  conversationOf,
  type InputOf,
  type MessageChange,
  type OutputOf,
  type recallMessage,
  type SendEntry,
  type UserId,
} from '@qunxin/contracts'
import { AppError, type Clock } from '@qunxin/runtime'
import { type ChangeLimits, refusalOfChange } from './domain/change-rules.ts'
import type { Message } from './domain/message.ts'
import { isVisible } from './domain/visibility.ts'
import type { MembershipSource } from './membership/source.ts'
import { visibleTo } from './reads/as-member.ts'
import type { ReadGate } from './reads/read-gate.ts'
import type { AskToSend } from './sending.ts'
import type { MessageLog } from './store/message-log.ts'

export interface ChangingOptions {
  log: Pick<MessageLog, 'oldest' | 'originals'>
  membership: Pick<MembershipSource, 'memberOf'>
  gate: ReadGate
  askToSend: AskToSend
  limits: ChangeLimits
  clock: Clock
}

type Changed = OutputOf<typeof recallMessage>

/** What is asked for, and under which msgId and text it stands in the log. */
interface Wanted extends Pick<MessageChange, 'kind'> {
  input: InputOf<typeof recallMessage>
  msgId: string
  text: string
}

/**
 * message.recallMessage and editMessage: whether the message may be changed is looked up here; the change itself goes to the
 * partition's owner like a message, and is numbered, told apart from its repeats and kept in order as one.
 */
export function changeHandlers(options: ChangingOptions) {
  const change = async (wanted: Wanted, context: CallContext): Promise<Changed> => {
    const user = actorOf(context)
    const conversation = conversationOf(user, wanted.input)
    const target = await options.gate.run(context.deadline, () => lookUp({ ...wanted, conversation, user }, options))
    const { seq, at } = await options.askToSend(entryOf(target, wanted), context.deadline)
    return { seq, serverReceiveDate: at }
  }
  return {
    // No client can give a message of its own this msgId: it has a colon.
    'message.recallMessage': (input, context) =>
      change({ kind: 'recall', input, msgId: `recall:${input.seq}`, text: '' }, context),
    'message.editMessage': (input, context) =>
      change({ kind: 'edit', input, msgId: input.msgId, text: input.contentStr }, context),
  } satisfies Pick<HandlersOf<'message'>, 'message.recallMessage' | 'message.editMessage'>
}

/** @throws AppError what stands against changing it */
async function lookUp(
  wanted: Wanted & { conversation: ConversationId; user: UserId },
  { log, membership, limits, clock }: ChangingOptions,
): Promise<Message> {
  const { kind, input, msgId, text, conversation, user } = wanted
  const { seq, sessionId } = input
  const [found, visible] = await Promise.all([
    log.oldest(conversation, { fromSeq: seq, toSeq: seq, limit: 1 }),
    visibleTo(membership, user, sessionId),
  ])
  const target = found.find((message) => isVisible(visible, message))
  const refusal = refusalOfChange(target, { kind, by: user, now: clock.now() }, limits)
  if (!target || refusal) {
    const isOwn = target !== undefined && !target.change && target.from === user
    // Asked for once more: what was done in time is answered as it was.
    if (isOwn && (await log.originals([{ conversation, from: user, msgId }]))[0]?.change) return target
    throw new AppError(refusal ?? 'MESSAGE_NOT_FOUND')
  }
  if (kind === 'edit' && target.type === 1 && text === '')
    throw new AppError('BAD_REQUEST', { details: { field: 'contentStr' } })
  return target
}

function entryOf(target: Message, { kind, msgId, text }: Wanted): SendEntry {
  const { conversation, from, to, group, type, seq } = target
  return {
    id: 0,
    conn: '',
    conversation,
    from,
    ...(to !== undefined && { to }),
    ...(group !== undefined && { group }),
    msgId,
    type,
    text,
    change: { kind, seq, msgId: target.msgId },
  }
}
