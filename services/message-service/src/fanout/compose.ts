import { ByteWriter, type FrameItem, type GroupId, type SendAnswer, shownTo, type UserId } from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'
import { toMsgModel } from '../domain/present.ts'
import {
  type Audience,
  areSameUsers,
  type ByNode,
  byNode,
  groupOfItem,
  isOfSamePair,
  nodesWithout,
  usersOfItem,
} from './audience.ts'
import { DeliveryWriter } from './delivery-writer.ts'
import type { Job, JobItem, MessageFrame } from './job.ts'
import { writeMessage, writeModel } from './message-body.ts'

/** Something to publish: a node's delivery, or the answers to a batch that came with a reply subject. */
export type Publication = { node: string; payload: Uint8Array } | { reply: string; payload: string }

export interface Composing {
  instance: string
  /** Of the users that items name themselves. */
  routes: ReadonlyMap<UserId, ReadonlySet<string>>
  /** The members of each group in the job; a group left out could not be asked for. */
  audiences: ReadonlyMap<GroupId, Audience>
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
  const { instance, routes, audiences, behind, mayRead } = options
  const frames = new Map<string, DeliveryWriter>()
  const answers = new Map<string, DeliveryWriter>()
  const replies = new Map<string, SendAnswer[]>()
  /** Of each group, without those who came behind the message before. */
  const withoutLater = new Map<GroupId, { later: ReadonlySet<UserId>; nodes: ByNode }>()
  const last = onlyAnsweringNode(job)
  const body = new ByteWriter()
  let before: JobItem | undefined
  let nodes: ByNode = new Map()
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
    if (group === undefined) {
      // Of one sender's messages one behind the other each goes where the one before went.
      if (!isOfSamePair(before, item)) nodes = byNode(usersOfItem(item), routes)
    } else {
      const audience = audiences.get(group)
      if (!audience) continue
      nodes = audience.nodes
      const later = item.frame ? behind?.(group, item.frame.message.seq) : undefined
      if (later && later.size > 0) {
        // Messages one behind the other are mostly for the same members.
        let some = withoutLater.get(group)
        if (!some || !areSameUsers(some.later, later)) some = { later, nodes: nodesWithout(nodes, later) }
        withoutLater.set(group, some)
        nodes = some.nodes
      }
    }
    before = item
    if (nodes.size > 0) {
      body.length = 0
      writeBody(body, item)
      for (const [node, users] of nodes) {
        const writer = writerOf(frames, node)
        const [some, others] = mayRead && item.frame ? byReading(users, item.frame.message, mayRead) : [users, []]
        if (some.length > 0) writer.frame(headerOf(item, some), body.bytes, body.length)
        if (others.length > 0) writer.frame(headerOf(item, others), withheld(item))
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

/** The text the receivers are sent, made once. */
function writeBody(out: ByteWriter, { frame, push }: JobItem): void {
  if (frame) writeMessage(out, frame.message)
  else if (push) out.text(JSON.stringify({ tag: push.tag, data: push.data }))
}

/** Those who may read what an edit changes, or anything else, and those who may not. */
function byReading(
  users: UserId[],
  { from, group, change }: Message,
  mayRead: NonNullable<Composing['mayRead']>,
): [UserId[], UserId[]] {
  if (change?.kind !== 'edit' || group === undefined) return [users, []]
  const reads = Map.groupBy(users, (user) => user === from || mayRead(group, change.seq, user))
  return [reads.get(true) ?? [], reads.get(false) ?? []]
}

/** What those who may not read what an edit changes are sent instead. */
function withheld({ frame }: JobItem): Uint8Array {
  const out = new ByteWriter()
  if (frame)
    writeModel(
      out,
      shownTo(toMsgModel(frame.message, 1), () => false),
    )
  return out.copy()
}

type Header = Omit<FrameItem, 'kind' | 'size'>

function headerOf({ frame, push }: JobItem, users: UserId[]): Header {
  if (frame) return frameHeader(frame, users)
  const header: Header = { users }
  if (push?.conversation !== undefined) header.conversation = push.conversation
  if (push?.except !== undefined) header.except = push.except
  if (push?.cursor) header.cursor = push.cursor
  return header
}

function frameHeader({ message, except, again }: MessageFrame, users: UserId[]): Header {
  const header: Header = { users, conversation: message.conversation, seq: message.seq }
  if (except !== '') header.except = except
  if (again) header.again = { from: message.from, msgId: message.msgId }
  return header
}
