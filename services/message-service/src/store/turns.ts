import type { ConversationId } from '@qunxin/contracts'

/** Whose turn it is to look for old messages, and how far the pass through the conversations is. Times are in ms since 1970. */
export interface Turns {
  /** Takes the turn if a pass is due and nobody else is at it; then tells behind which conversation it goes on. */
  take(holder: string, now: number): Promise<{ after: ConversationId } | undefined>
  /** Says that it goes on, and how far it is. False when another has taken the turn: it was silent for too long. */
  keep(holder: string, now: number, after: ConversationId): Promise<boolean>
  /** Leaves the rest of the pass to another. */
  leave(holder: string, after: ConversationId): Promise<void>
  /** The pass is through; the next one begins at the beginning. */
  finish(holder: string, nextAt: number): Promise<void>
}
