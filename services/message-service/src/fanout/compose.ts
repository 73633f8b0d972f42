import {
  type FrameItem,
  type GroupId,
  type MsgModel,
  messageTag,
  type SendAnswer,
  shownTo,
  type UserId,
} from '@qunxin/contracts'
import { toMsgModel } from '../domain/present.ts'
import { areSameUsers, type ByNode, byNode, groupOfItem, usersOfItem, withoutThose } from './audience.ts'
import { DeliveryWriter } from './delivery-writer.ts'
import type { Job, JobItem, MessageFrame, Push } from './job.ts'

/** Something to publish: a node's delivery, or the answers to a batch that came with a reply subject. */
export type Publication = { node: string; payload: Uint8Array } | { reply: string; payload: string }

export interface Composing {
  instance: string
  routes: ReadonlyMap<UserId, ReadonlySet<string>>
  /** The members of each group in the job; a group left out could not be asked for. */
  members: ReadonlyMap<GroupId, ReadonlySet<UserId>>
  /** The members for whom a message of this seq is not: they came later. */
  behind?(group: GroupId, seq: number): ReadonlySet<UserId>
  /** Whether a member may read what stands at this seq; left out: everything. */
  mayRead?(group: GroupId, seq: number, user: UserId): boolean
}

/**
 * Puts a job into as few publications as possible, in an order in which the process may die after any of them without leaving
 * an answered message undelivered: the frames for every node before the first answer. When all answers go to one node, they
 * travel with that node's frames, each behind its message. Messages of a group that could not be asked for are left out
 * together with their answers: the sender asks again.
 */
export function compose(job: Job, options: Composing): Publication[] {
  const { instance, routes, members, behind, mayRead } = options
  const frames = new Map<string, DeliveryWriter>()
  const answers = new Map<string, DeliveryWriter>()
  const replies = new Map<string, SendAnswer[]>()
  const audiences = new Map<GroupId, ByNode>()
  /** Of each group, without those who came behind the message before. */
  const withoutLater = new Map<GroupId, { later: ReadonlySet<UserId>; audience: ByNode }>()
  const last = onlyAnsweringNode(job)
  const writerOf = (all: Map<string, DeliveryWriter>, node: string) => {
    let writer = all.get(node)
    if (!writer) {
      writer = new DeliveryWriter(instance)
      all.set(node, writer)
    }
    return writer
  }
  for (const item of job) {
    const group = groupOfItem(item)
    let audience: ByNode
    if (group === undefined) audience = byNode(usersOfItem(item), routes)
    else {
      const users = members.get(group)
      if (!users) continue
      audience = audiences.get(group) ?? byNode(users, routes)
      audiences.set(group, audience)
      const later = item.frame ? behind?.(group, item.frame.message.seq) : undefined
      if (later && later.size > 0) {
        // Messages one behind the other are mostly for the same members.
        let some = withoutLater.get(group)
        if (!some || !areSameUsers(some.later, later))
          some = { later, audience: byNode(withoutThose(users, later), routes) }
        withoutLater.set(group, some)
        audience = some.audience
      }
    }
    if (audience.size > 0) {
      const header = item.frame ? headerOf(item.frame) : item.push ? pushHeaderOf(item.push) : {}
      const bodyFor = bodiesOf(item, mayRead)
      for (const [node, users] of audience) {
        const writer = writerOf(frames, node)
        for (const [body, some] of bodyFor(users)) writer.frame(header, some, body)
      }
    }
    if (!item.answered) continue
    const { run, answer } = item.answered
    if (run.reply === undefined) writerOf(run.node === last ? frames : answers, run.node).answer(answer)
    else {
      const list = replies.get(run.reply)
      if (list) list.push(answer)
      else replies.set(run.reply, [answer])
    }
  }
  const inOrder = [...frames].filter(([node]) => node !== last)
  const lastFrames = last === undefined ? undefined : frames.get(last)
  if (last !== undefined && lastFrames) inOrder.push([last, lastFrames])
  inOrder.push(...answers)
  const publications: Publication[] = []
  for (const [node, writer] of inOrder) for (const payload of writer.finish()) publications.push({ node, payload })
  for (const [reply, list] of replies) publications.push({ reply, payload: JSON.stringify(list) })
  return publications
}

/** The one node all answers go to, when there is just one. */
function onlyAnsweringNode(job: Job): string | undefined {
  let node: string | undefined
  for (const { answered } of job) {
    if (!answered || answered.run.reply !== undefined) continue
    if (node !== undefined && node !== answered.run.node) return undefined
    node = answered.run.node
  }
  return node
}

type Bodies = (users: UserId[]) => Iterable<[body: Uint8Array, users: UserId[]]>

/** The text the receivers are sent, made once; those who may not read what an edit changes have one of their own. */
function bodiesOf({ frame, push }: JobItem, mayRead: Composing['mayRead']): Bodies {
  if (!frame) return forAll(Buffer.from(JSON.stringify({ tag: push?.tag, data: push?.data })))
  const { from, group, change } = frame.message
  const model = toMsgModel(frame.message, 1)
  const body = messageBody(model)
  if (change?.kind !== 'edit' || group === undefined || !mayRead) return forAll(body)
  const without = messageBody(shownTo(model, () => false))
  return (users) => Map.groupBy(users, (user) => (user === from || mayRead(group, change.seq, user) ? body : without))
}

function forAll(body: Uint8Array): Bodies {
  return (users) => [[body, users]]
}

function messageBody(model: MsgModel): Uint8Array {
  return Buffer.from(`{"tag":"${messageTag(model)}","data":${JSON.stringify(model)}}`)
}

type Header = Omit<FrameItem, 'kind' | 'size' | 'users'>

function pushHeaderOf({ conversation, except, cursor }: Push): Header {
  const header: Header = {}
  if (conversation !== undefined) header.conversation = conversation
  if (except !== undefined) header.except = except
  if (cursor) header.cursor = cursor
  return header
}

function headerOf({ message, except, again }: MessageFrame): Header {
  const header: Header = { conversation: message.conversation, seq: message.seq }
  if (except !== '') header.except = except
  if (again) header.again = { from: message.from, msgId: message.msgId }
  return header
}
