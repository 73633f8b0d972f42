import type { ConversationId, FrameItem, UserId } from '@qunxin/contracts'
import type { Held } from './held.ts'
import type { Hole } from './hole.ts'
import type { ShownCursors } from './shown-cursors.ts'

/** One frame as it came for a connection; without seq it is a push that is no message. */
export interface LiveFrame {
  /** The ready bytes; none for a message of the connection's own, which it is not shown. */
  frame: Buffer | undefined
  conversation?: ConversationId | undefined
  seq?: number | undefined
  /** A push about how far a user is in the conversation. */
  cursor?: FrameItem['cursor']
  /** A push that its user has joined or left this group: what is missing between messages before and after is no hole. */
  breaks?: ConversationId | undefined
  /** It is sent round once more: by whom and which. */
  again?: { from: UserId; msgId: string } | undefined
}

/** What delivery keeps of a connection, all of it made when first needed: most connections are idle. */
export interface Receiver {
  readonly id: string
  readonly userId: UserId
  /** The last seq of each conversation that was written, or answered as its own; a new connection starts without any. */
  positions: Map<ConversationId, number> | undefined
  /** What a connection without a position has had all the same, or must not have. */
  floors: Map<ConversationId, number> | undefined
  holes: Map<ConversationId, Hole> | undefined
  /** How far it was shown other users, and its own on other devices, to be. */
  shown: ShownCursors | undefined
  /** Set while the binding is under way or the backlog is read: what comes live waits here. */
  held: Held | undefined
  write(frame: Buffer): void
  /** A message has been written to it. */
  wrote(conversation: ConversationId, seq: number): void
  /** Messages of this conversation are missing and will not come. */
  skipped(conversation: ConversationId): void
  /** More waits for it than it may hold back. */
  overrun(): void
}
