import type { ConversationId } from '@qunxin/contracts'
import type { Floor } from '../domain/present.ts'

/** As it stands in the collection `floors`, one document a group. */
export interface FloorDocument extends Floor {
  _id: ConversationId
}

/** How far the slowest members of groups are, kept by the partition's owner; a group it keeps none for has no states. */
export interface Floors {
  /** Those there are; the others are left out. */
  of(conversations: readonly ConversationId[]): Promise<Map<ConversationId, Floor>>
}
