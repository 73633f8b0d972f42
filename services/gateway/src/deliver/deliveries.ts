import type { Bus } from '@qunxin/bus'
import {
  type ConversationId,
  decodeDelivery,
  type FrameItem,
  groupConversation,
  type ListChangeReason,
  type SendAnswer,
  subjects,
  type UserId,
} from '@qunxin/contracts'
import { frameOf } from '../socket/wire.ts'
import type { InstanceStreams } from './instance-streams.ts'
import type { Order } from './order.ts'
import type { LiveFrame, Receiver } from './receiver.ts'

export interface DeliveriesOptions {
  bus: Pick<Bus, 'subscribe'>
  node: string
  order: Order
  streams: Pick<InstanceStreams, 'take'>
  answered(answer: SendAnswer, instance: string): void
  /** This node's connections of a user. */
  receiversOf(user: UserId): readonly Receiver[]
}

/** Takes what message-service publishes for this node: answers to its sends, and frames for its connections, in their order. */
export function subscribeDeliveries(options: DeliveriesOptions): void {
  const { bus, node, order, streams, answered, receiversOf } = options

  const show = (item: FrameItem, body: Uint8Array) => {
    let live: LiveFrame | undefined
    for (const user of item.users) {
      for (const receiver of receiversOf(user)) {
        if (receiver.id === item.except) continue
        live ??= liveFrame(item, body)
        order.take(receiver, live)
      }
    }
  }

  bus.subscribe(subjects.gatewayDeliver(node), (message) => {
    const { place, delivery, bodies } = decodeDelivery(message.data)
    if (!streams.take(delivery, place, message.data.length)) return
    let next = 0
    for (const item of delivery.items) {
      if (item.kind === 'answer') answered(item.answer, delivery.from)
      else show(item, bodies[next++] as Uint8Array)
    }
  })
}

function liveFrame({ conversation, seq, cursor, again }: FrameItem, body: Uint8Array): LiveFrame {
  const breaks = conversation === undefined ? conversationOfListChange(body) : undefined
  return { frame: frameOf(body), conversation, seq, cursor, breaks, again }
}

const LIST_CHANGED = Buffer.from('{"tag":"groupListChanged"')

/** Who leaves a group and comes back has not missed what was said meanwhile: it was not for them. A new owner was there. */
function conversationOfListChange(body: Uint8Array): ConversationId | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
  if (!bytes.subarray(0, LIST_CHANGED.length).equals(LIST_CHANGED)) return undefined
  const { data } = JSON.parse(bytes.toString()) as { data: { groupId: string; reason: ListChangeReason } }
  return data.reason === 'transferred' ? undefined : groupConversation(data.groupId)
}
