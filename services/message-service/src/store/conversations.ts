import type { ConversationId, UserId } from '@qunxin/contracts'

/** Which personal conversations a user has. A row may stand there before its first message: then it is not shown. */
export interface Conversations {
  /** Writes both users' rows; writing again changes nothing. Resolves when a majority has them. */
  begin(conversation: ConversationId, at: number): Promise<void>
  /** Which of these a user has. */
  among(user: UserId, conversations: readonly ConversationId[]): Promise<Set<ConversationId>>
  /** The newest first, by a hint that lags behind. */
  of(user: UserId, limit: number): Promise<ConversationId[]>
}
