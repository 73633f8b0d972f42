import { actorOf, type Bus, type CallContext, type HandlersOf } from '@qunxin/bus'
import {
  type ConversationId,
  conversationOf,
  groupOf,
  type InputOf,
  type messageRead,
  partitionOf,
  type Receipt,
  type ReceiptBatch,
  subjects,
} from '@qunxin/contracts'
import { ownersAnswer } from '../asking.ts'
import type { MembershipSource } from '../membership/source.ts'

export interface ConfirmOptions {
  bus: Bus
  partitions: number
  membership: Pick<MembershipSource, 'memberOf'>
}

type UpTo = InputOf<typeof messageRead>

/** message.messageReceived and message.messageRead: the owner of the partition stores it, and its answer is ours. */
export function receiptCalls(
  options: ConfirmOptions,
): Pick<HandlersOf<'message'>, 'message.messageReceived' | 'message.messageRead'> {
  const { bus, partitions, membership } = options

  const confirm = async (input: UpTo, context: CallContext, how: 'delivered' | 'read') => {
    const user = actorOf(context)
    const conversation: ConversationId = conversationOf(user, input)
    const group = groupOf(conversation)
    if (group !== undefined) await membership.memberOf(group, user)
    const receipt: Receipt = { user, conversation, [how]: input.seq }
    const batch: ReceiptBatch = { receipts: [receipt] }
    const subject = subjects.partitionReceipt(partitionOf(conversation, partitions))
    await ownersAnswer(bus, subject, { asked: batch, deadline: context.deadline })
    return {}
  }
  return {
    'message.messageReceived': (input, context) => confirm(input, context, 'delivered'),
    'message.messageRead': (input, context) => confirm(input, context, 'read'),
  }
}
