import type { ConversationId, UserId } from '@qunxin/contracts'

/** Which personal conversations a user has. A row may stand there before its first message: then it is not shown. */
export interface Conversations {
  /** Writes the rows of both users of each; writing again changes nothing. Resolves when a majority has them. */
  begin(conversations: readonly ConversationId[], at: number): Promise<void>
  /** Which of these a user has. */
  among(user: UserId, conversations: readonly ConversationId[]): Promise<Set<ConversationId>>
  /** Moves the hints of when something was last sent forward, where the rows are there; a hint never moves back. */
  touch(hints: readonly { conversation: ConversationId; at: number }[]): Promise<void>
  /** The newest first, by that hint. */
  of(user: UserId, limit: number): Promise<ConversationId[]>
  /** Those of each of these users, in no particular order. Of more than `limit` in all some users are left out. */
  ofUsers(users: readonly UserId[], limit: number): Promise<Map<UserId, ConversationId[]>>
}
