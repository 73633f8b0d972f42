import type { ConversationId } from '@qunxin/contracts'
import type { Push } from '../fanout/job.ts'

/** The partitions of this process, as receipts see them. */
export interface Place {
  /** Names our holding of the conversation's partition: another one once it was lost and taken again; undefined while it is not ours. */
  tenure(conversation: ConversationId): number | undefined
  /** Sends these out, each behind what is committed in its conversation so far; resolves when they are out. */
  tell(pushes: readonly StatePush[]): Promise<void>
}

export type StatePush = Push & { conversation: ConversationId }

/** Under which tenure each of these conversations is ours now. */
export function tenures(
  { tenure }: Place,
  of: Iterable<{ conversation: ConversationId }>,
): Map<ConversationId, number | undefined> {
  const held = new Map<ConversationId, number | undefined>()
  for (const { conversation } of of) if (!held.has(conversation)) held.set(conversation, tenure(conversation))
  return held
}

/** Whether a conversation is ours, and has been all the time since `held` was asked for. */
export function isStillOurs(
  place: Place,
  held: ReadonlyMap<ConversationId, number | undefined>,
  conversation: ConversationId,
): boolean {
  const tenure = place.tenure(conversation)
  return tenure !== undefined && tenure === held.get(conversation)
}
