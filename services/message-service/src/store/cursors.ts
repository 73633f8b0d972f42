import type { ConversationId, UserId } from '@qunxin/contracts'
import type { Cursor } from '../domain/present.ts'

export interface CursorKey {
  user: UserId
  conversation: ConversationId
}

export interface CursorMove extends CursorKey, Partial<Cursor> {}

/** How far each user is in each conversation; a cursor never moves back. */
export interface Cursors {
  advance(moves: readonly CursorMove[]): Promise<void>
  /** The cursors of some users in one conversation; who has none is left out. */
  of(conversation: ConversationId, users: readonly UserId[]): Promise<Map<UserId, Cursor>>
  /** One user's cursors in some conversations; those without one are left out. */
  ofUser(user: UserId, conversations: readonly ConversationId[]): Promise<Map<ConversationId, Cursor>>
  /** Any cursors, in the order asked; of zeros where there is none. */
  each(keys: readonly CursorKey[]): Promise<Cursor[]>
}
