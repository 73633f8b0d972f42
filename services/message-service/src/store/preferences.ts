import type { ConversationId, PreferenceChange, UserId } from '@qunxin/contracts'

/** What one user wants of one conversation. */
export interface Preference {
  user: UserId
  conversation: ConversationId
  /** Rises by one with each change; 0 is before the first. */
  version: number
  blocked: boolean
  muted: boolean
}

/** Who blocks whom, and who wants to be left in peace by what. */
export interface Preferences {
  version(user: UserId, conversation: ConversationId): Promise<number>
  /**
   * Carries out a change of the version it was asked at, once: again it changes nothing. Resolves when a majority has it, with
   * the row as it is then; with undefined when another change came first.
   */
  change(change: PreferenceChange): Promise<Preference | undefined>
  /** The rows of both users of personal conversations; who has none is left out. */
  ofPairs(conversations: readonly ConversationId[]): Promise<Preference[]>
  /** Whom a user blocks, by id (numerically) from `after` (exclusive) on. */
  blockedBy(user: UserId, page: { after: number; limit: number }): Promise<number[]>
  /** Who muted a conversation, personal or group. */
  mutedIn(conversation: ConversationId): Promise<Set<UserId>>
}

/** Does the row say what the change asks for? */
export function says(row: Preference, { blocked, muted }: PreferenceChange): boolean {
  return (blocked === undefined || row.blocked === blocked) && (muted === undefined || row.muted === muted)
}
