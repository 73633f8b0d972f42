import { z } from 'zod'

/** subjects.messageInstances. `epoch` is the boot time in ms; a restarted process has a new instance id and epoch. */
export const messageInstance = z.object({
  instance: z.string(),
  epoch: z.number(),
  partitions: z.number(),
  /** Set in the last announcement of an instance that leaves. */
  leaving: z.boolean().default(false),
  /** Who leaves and need not go on: whatever was theirs and is now ours comes to us. */
  relieves: z.string().optional(),
  /** Partitions that were the sender's, in which nothing of before `toldUntil` is left that nobody was told. */
  handsOver: z.array(z.number()).optional(),
  /** Milliseconds of the log, by the sender's clock; what it stores later and lives to tell, it tells itself. */
  toldUntil: z.number().optional(),
})
export type MessageInstance = z.output<typeof messageInstance>

/** subjects.gatewayInstances. */
export const gatewayInstance = z.object({ node: z.string(), leaving: z.boolean().default(false) })
export type GatewayInstance = z.output<typeof gatewayInstance>

/** How often a process announces itself, and after how long a silence it counts as dead. */
export const ANNOUNCE_EVERY_MS = 500
export const DEAD_AFTER_MS = 2_000

/** subjects.presenceBind and presenceUnbind: users whose first connection came to a node, or whose last one left it. */
export const presenceChange = z.object({ node: z.string(), users: z.array(z.string()) })
export type PresenceChange = z.infer<typeof presenceChange>
/** The answer to a bind, one from every live message-service instance. */
export const presenceConfirmed = z.object({ instance: z.string() })

/** subjects.gatewayControl. */
export const gatewayControl = z.discriminatedUnion('kind', [
  /** Close one connection: the oldest of a user with too many. */
  z.object({ kind: z.literal('closeConnection'), conn: z.string(), code: z.number() }),
  /** Close every connection of a user and forget cached tokens: revoked since `notBefore` (ms). */
  z.object({ kind: z.literal('revoke'), userId: z.string(), notBefore: z.number() }),
])
export type GatewayControl = z.infer<typeof gatewayControl>
