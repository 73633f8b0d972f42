import { z } from 'zod'

export const listChangeReason = z.enum(['created', 'joined', 'added', 'left', 'kicked', 'deleted', 'transferred'])
export type ListChangeReason = z.infer<typeof listChangeReason>
export const groupChangeReason = z.enum([
  'created',
  'updated',
  'added',
  'joined',
  'left',
  'kicked',
  'transferred',
  'adminChanged',
  'deleted',
])
export type GroupChangeReason = z.infer<typeof groupChangeReason>

/**
 * subjects.partitionMembership: group-service tells the owner before it answers any membership call, changed or not.
 * `added` and `removed` are what changed from version − 1 to version; both empty when nothing did.
 */
export const membershipChange = z.object({
  groupId: z.string(),
  version: z.number(),
  added: z.array(z.string()).default([]),
  removed: z.array(z.string()).default([]),
  deleted: z.boolean().default(false),
  /** What clients are told; absent when nothing changed. */
  notice: z
    .object({
      reason: groupChangeReason,
      byUserId: z.string(),
      /** Whom it is about; left out for `updated`. */
      userIds: z.array(z.string()).optional(),
      /** Users whose group list changed: each device gets groupListChanged. */
      listChanged: z.array(z.string()).default([]),
    })
    .optional(),
})
export type MembershipChange = z.output<typeof membershipChange>
export type MembershipChangeInput = z.input<typeof membershipChange>

/** The owner's confirmation: the newest seq of the group's conversation at that moment. */
export const membershipApplied = z.object({ lastSeq: z.number() })
