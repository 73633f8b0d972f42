import type { ConversationId } from '@qunxin/contracts'

/** The log as seen by what takes old messages out of it. */
export interface OldMessages {
  /** The next conversations behind `after` in the order of their ids, with the time of the oldest message of each; none: these were all. */
  conversations(after: ConversationId, limit: number): Promise<{ conversation: ConversationId; oldestAt: number }[]>
  /**
   * Deletes what of a conversation is older than `time` (ms), the oldest first and at most so many: what remains has no hole.
   * The newest message always remains, so that no seq is given twice. Returns how many were deleted.
   */
  delete(conversation: ConversationId, time: number, limit: number): Promise<number>
}
