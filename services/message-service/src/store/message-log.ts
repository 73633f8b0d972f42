import type { ConversationId, MessageChange, UserId } from '@qunxin/contracts'
import type { Message, MessageKey, Original } from '../domain/message.ts'
import type { Position } from '../domain/numbering.ts'
import type { SeqRange } from '../domain/visibility.ts'

/** How far one ordered write came. `stoppedBy` says what the first message not stored ran into: a taken key, or some other fault. */
export interface Appended {
  stored: number
  stoppedBy?: 'seq' | 'msgId' | 'fault'
}

export interface Tail extends Position {
  /** The newest messages, oldest first. */
  recent: (Original & { from: UserId; msgId: string; change?: MessageChange })[]
}

export interface Head extends Position {
  conversation: ConversationId
}

/** Part of one conversation, oldest first; a bound left out is open, both are inclusive. */
export interface Range {
  fromSeq?: number
  toSeq?: number
  /** Only messages by others than this user. */
  notFrom?: UserId
  /** Only messages after this time (ms). */
  afterTime?: number
  /** Only messages in one of these, which are in order and do not overlap. */
  within?: readonly SeqRange[]
  /** False: only messages, without the recalls and edits among them. */
  changes?: false
  limit: number
}

/** Whether an append was stored is not known: read back before going on. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown'
}

/** The log of all conversations. What it shows has been stored by a majority and cannot be rolled back. */
export interface MessageLog {
  /**
   * Adds messages in the order given and stops at the first whose key is taken. What it reports is on the disks of a majority.
   *
   * @throws OutcomeUnknown when the store did not confirm; some of the first ones may be stored
   */
  append(messages: readonly Message[]): Promise<Appended>
  /** For each message: is it stored under its seq just as it stands? */
  stored(messages: readonly Message[]): Promise<boolean[]>
  /**
   * Does to earlier messages what these stored recalls and edits say, as often as it is called and in whatever order: an older
   * edit never replaces a newer one, and nothing undoes a recall. Resolves when a majority has it, with each change as it
   * stands then: the edit of a message that was taken back has lost its text too.
   *
   * @throws when the store did not confirm it; to be called again
   */
  applyChanges(changes: readonly Message[]): Promise<Message[]>
  tail(conversation: ConversationId, limit: number): Promise<Tail>
  /** The same of each of these, in the order asked. */
  tails(conversations: readonly ConversationId[], limit: number): Promise<Tail[]>
  /** What is stored under these keys, in the order asked. */
  originals(keys: readonly MessageKey[]): Promise<(Message | undefined)[]>
  /** Messages after `time` (exclusive), oldest first, without the recalls and edits among them. */
  after(conversation: ConversationId, time: number, limit: number): Promise<Message[]>
  /** The first `limit` of a range. */
  oldest(conversation: ConversationId, range: Range): Promise<Message[]>
  /** The last `limit` of a range, oldest first. */
  newest(conversation: ConversationId, range: Range): Promise<Message[]>
  /** The seq of the newest message that is not later than the time (ms), in the order asked; 0 where there is none. */
  seqsAt(points: readonly { conversation: ConversationId; time: number }[]): Promise<number[]>
  /** When each sender's newest message after `time` (exclusive) was stored; a recall or an edit is none. */
  lastBySender(conversation: ConversationId, time: number): Promise<Map<UserId, number>>
  /** Who wrote each message of a range, from its begin on, as far as it is stored; empty for a recall, an edit and what was deleted. Both ends are included. */
  authors(conversation: ConversationId, fromSeq: number, toSeq: number): Promise<UserId[]>
  /** The newest position of each conversation that has messages. */
  heads(conversations: readonly ConversationId[]): Promise<Head[]>
}
