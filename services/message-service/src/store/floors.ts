import type { ConversationId } from '@qunxin/contracts'
import type { VersionedFloor } from '../domain/floors.ts'
import type { Floor } from '../domain/present.ts'

/** As it stands in the collection `floors`, one document a group. */
export interface FloorDocument extends VersionedFloor {
  _id: ConversationId
}

/** How far the slowest members of groups are, kept by the partition's owner; a group it keeps none for has no states. */
export interface Floors {
  /** Those there are; the others are left out. */
  of(conversations: readonly ConversationId[]): Promise<Map<ConversationId, Floor>>
  /** Writes each unless what is stored was made from more; in whatever order, none ever goes back. */
  raise(floors: readonly FloorDocument[]): Promise<void>
  /** For groups that have become too large. */
  remove(conversations: readonly ConversationId[]): Promise<void>
}
