import type { ConversationId, FrameItem, GroupId, SendAnswer, UserId } from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'
import type { BatchRun } from '../partition/pending.ts'

export interface MessageFrame {
  message: Message
  /** The connection that must not get it; empty for none. */
  except: string
  /** Whoever missed it is to have it now: the fan-out after the commit may have been lost. */
  again: boolean
}

/** A push to users, or to the members of a group as they are when it goes out. */
export interface Push {
  tag: string
  data: Record<string, unknown>
  to: { users: readonly UserId[] } | { group: GroupId }
  /** What it is about, if that is one conversation. */
  conversation?: ConversationId
  /** The connection that must not get it: the one that caused it. */
  except?: string
  /** Of a user's cursors: a connection that was shown further ones is not shown these. */
  cursor?: NonNullable<FrameItem['cursor']>
}

export interface Answered {
  run: BatchRun
  answer: SendAnswer
}

/** One thing to send, in order: a message to its receivers, the answer to its sender, or both; or a push. */
export interface JobItem {
  frame?: MessageFrame
  answered?: Answered
  push?: Push
}

/** What follows from one commit, or from something that stands between two. */
export type Job = readonly JobItem[]
