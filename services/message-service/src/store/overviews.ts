import type { ConversationId, UserId } from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'
import type { Cursor, Floor } from '../domain/present.ts'
import type { ChangeEntry, Window } from '../domain/unread.ts'
import type { SeqRange } from '../domain/visibility.ts'

/** Where a conversation stands in a list, the newest first; of those of one time the lower id first. */
export interface Place {
  conversation: ConversationId
  /** Milliseconds; of a personal conversation a hint that lags behind. */
  at: number
}

/** A time whose seq is asked for: that of the newest entry not later; 0 where there is none. */
export interface TimePoint {
  conversation: ConversationId
  time: number
}

/** How far readers are: both users of each personal conversation, and of groups the one who asks. */
export interface Standing {
  cursors: ReadonlyMap<ConversationId, ReadonlyMap<UserId, Cursor>>
  floors: ReadonlyMap<ConversationId, Floor>
}

export interface Details extends Standing {
  /** The newest entry of each conversation that has one. */
  heads: ReadonlyMap<ConversationId, Message>
  muted: ReadonlySet<ConversationId>
  /** Of the time points, in the order asked. */
  seqs: number[]
}

export interface Begins {
  /** By conversation and seq: when the first and the last entry of each window were stored; what was removed is left out. */
  times: ReadonlyMap<ConversationId, ReadonlyMap<number, number>>
  /** By conversation: recalls and edits in each window. */
  changes: ReadonlyMap<ConversationId, ChangeEntry[]>
  /** By conversation: the newest message in the ranges asked for. */
  lasts: ReadonlyMap<ConversationId, Message>
}

/** What to count the entries of others in, both times included, and how many at most. */
export interface CountAsked {
  conversation: ConversationId
  fromTime: number
  toTime: number
  limit: number
}

/**
 * What lists and syncs read of many conversations at once. Each method is one command of the database and looks at little more
 * than it answers; asked for nothing it is none.
 */
export interface Overviews {
  /** The user's personal conversations behind `after`, and when something was last stored in each group. */
  places(
    user: UserId,
    asked: {
      after: Place | undefined
      limit: number
      groups: readonly ConversationId[]
      points: readonly TimePoint[]
    },
  ): Promise<{ personal: Place[]; groups: Place[]; seqs: number[] }>
  details(
    user: UserId,
    asked: { conversations: readonly ConversationId[]; points: readonly TimePoint[] },
  ): Promise<Details>
  /** `lasts` asks for the newest message in some ranges, recalls and edits left out. */
  begins(asked: {
    windows: readonly Window[]
    lasts: readonly { conversation: ConversationId; ranges: readonly SeqRange[] }[]
  }): Promise<Begins>
  /** By conversation: entries of others than the user. */
  countOthers(user: UserId, asked: readonly CountAsked[]): Promise<ReadonlyMap<ConversationId, number>>
  /** The user's personal conversations by id, from `after` (exclusive) on, and the newest seqs of some conversations. */
  begun(
    user: UserId,
    asked: { after: string; limit: number; heads: readonly ConversationId[]; points: readonly TimePoint[] },
  ): Promise<{ personal: ConversationId[]; heads: ReadonlyMap<ConversationId, number>; seqs: number[] }>
  /** How far the readers of some conversations are, and the newest seqs of others. */
  standing(asked: {
    readers: readonly ConversationId[]
    heads: readonly ConversationId[]
  }): Promise<Standing & { heads: ReadonlyMap<ConversationId, number> }>
  /** Those of these entries that are stored, in whatever order. */
  entries(asked: readonly { conversation: ConversationId; seq: number }[]): Promise<Message[]>
}

/** The order of a list. */
export function byPlace(one: Place, other: Place): number {
  return other.at - one.at || (one.conversation < other.conversation ? -1 : 1)
}
