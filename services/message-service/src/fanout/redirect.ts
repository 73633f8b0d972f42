import { decodeDelivery, type FrameItem, type GroupId, groupOf, type MsgModel, type UserId } from '@qunxin/contracts'
import { fromMsgModel } from '../domain/from-model.ts'
import type { Message } from '../domain/message.ts'
import { byNode } from './audience.ts'
import { DeliveryWriter } from './delivery-writer.ts'
import type { Routes } from './routes.ts'

export interface RedirectOptions {
  instance: string
  routes: Pick<Routes, 'nodesOf'>
  /** Was this node heard of lately? */
  lives(node: string): boolean
  /** Members as of now; undefined when group-service could not be asked. */
  membersNow(group: GroupId): Promise<ReadonlySet<UserId> | undefined>
  publish(node: string, payload: Uint8Array): void
  /** Nobody can say that the message reached these, and they are connected nowhere else. `members` are those of its group. */
  unreached(message: Message, users: readonly UserId[], members: ReadonlySet<UserId> | undefined): void
  /** The members of its group could not be asked for: who missed it is to be found out later. */
  unknown(message: Message): void
}

/**
 * Sends the messages of deliveries that `gone` has not confirmed to where their receivers are now. A connection that has had
 * one drops it. Answers die with the gateway of their senders, and pushes that are no messages with that of their receivers:
 * both come back with a new connection.
 */
export async function redirect(
  gone: string,
  deliveries: readonly Uint8Array[],
  options: RedirectOptions,
): Promise<void> {
  const messages = deliveries.flatMap(messagesOf)
  const routes = await options.routes.nodesOf(new Set(messages.flatMap(({ item }) => item.users)))
  const lives = (node: string) => node !== gone && options.lives(node)
  const elsewhere = new Map([...routes].map(([user, nodes]) => [user, new Set([...nodes].filter(lives))]))
  // Asked for last: nobody who is kicked while routes are looked up gets anything of it.
  const members = await membersOf(messages, options)
  const writers = new Map<string, DeliveryWriter>()
  for (const { item, body } of messages) {
    const { conversation, seq, except } = item
    const group = groupOf(conversation)
    const now = group === undefined ? undefined : members.get(group)
    const users = group === undefined ? item.users : item.users.filter((user) => now?.has(user))
    const { tag, data } = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString()) as Frame
    const nowhere = users.filter((user) => (elsewhere.get(user)?.size ?? 0) === 0)
    // A recall or an edit has another tag: nobody is told that they missed one.
    if (tag === 'message') {
      if (group !== undefined && !now) options.unknown(fromMsgModel(conversation, data))
      else if (nowhere.length > 0) options.unreached(fromMsgModel(conversation, data), nowhere, now)
    }
    const again = { from: String(data.fromUserId), msgId: data.msgId }
    for (const [node, there] of byNode(users, elsewhere)) {
      const writer = writers.get(node) ?? new DeliveryWriter(options.instance)
      writers.set(node, writer)
      writer.frame({ users: there, conversation, seq, ...(except && { except }), again }, body)
    }
  }
  for (const [node, writer] of writers) for (const payload of writer.finish()) options.publish(node, payload)
}

interface Frame {
  tag: string
  data: MsgModel
}

type MessageItem = FrameItem & Required<Pick<FrameItem, 'conversation' | 'seq'>>

function messagesOf(payload: Uint8Array): { item: MessageItem; body: Uint8Array }[] {
  const { delivery, bodies } = decodeDelivery(payload)
  const frames = delivery.items.filter((item) => item.kind === 'frame')
  return frames.flatMap((item, i) => (isMessage(item) ? [{ item, body: bodies[i] as Uint8Array }] : []))
}

function isMessage(item: FrameItem): item is MessageItem {
  return item.conversation !== undefined && item.seq !== undefined
}

/** Those of each group that could be asked for. */
async function membersOf(
  messages: readonly { item: MessageItem }[],
  { membersNow }: RedirectOptions,
): Promise<ReadonlyMap<GroupId, ReadonlySet<UserId> | undefined>> {
  const groups = new Set(messages.flatMap(({ item }) => groupOf(item.conversation) ?? []))
  return new Map(await Promise.all([...groups].map(async (group) => [group, await membersNow(group)] as const)))
}
