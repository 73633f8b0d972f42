import { commonConfig, loadConfig } from '@qunxin/runtime'
import { z } from 'zod'

const positive = z.coerce.number().int().positive()

export const groupServiceConfig = z.object({
  ...commonConfig,
  OPS_PORT: commonConfig.OPS_PORT.default(9081),
  /** A replica set, be it of one: a change of membership is a transaction. */
  MONGO_URL: z.string().default('mongodb://127.0.0.1:27017/?replicaSet=rs0'),
  /** The database of groups, members, users and messages. */
  MONGO_DATABASE: z.string().min(1).default('qunxin'),
  /** Connections to MongoDB, and so how many transactions run at once. */
  MONGO_POOL_SIZE: positive.default(32),
  /** The longest one call waits for MongoDB; callers wait 5 s. */
  MONGO_TIMEOUT_MS: positive.default(4_000),
  /** The deletion of a group names its members in one NATS message, hence the upper bound. */
  GROUP_MEMBERS_MAX: positive.max(20_000).default(10_000),
  /** How long a change of membership waits to be confirmed by the message-service that owns the group. */
  OWNER_TIMEOUT_MS: positive.default(200),
  /** How often facts that another process left behind are looked for; its own are published at once. */
  OUTBOX_POLL_MS: positive.default(1_000),
  /** What the stream of events may take on the disks of NATS; the oldest events go first. For a stream that has no bound yet. */
  EVENTS_MAX_BYTES: positive.default(4_294_967_296),
})

export type GroupServiceConfig = z.output<typeof groupServiceConfig>

export function readConfig(env: Record<string, string | undefined>): GroupServiceConfig {
  return loadConfig(groupServiceConfig, env)
}
