import { commonConfig } from '@qunxin/runtime'
import { z } from 'zod'

export const configSchema = z.object({
  ...commonConfig,
  OPS_PORT: commonConfig.OPS_PORT.default(9082),
  /** A replica set: a message is acknowledged by its majority. */
  MONGO_URL: z.string().default('mongodb://127.0.0.1:27017/?replicaSet=rs0'),
  /** The database of groups, members, users and messages. */
  MONGO_DATABASE: z.string().min(1).default('qunxin'),
  /** Where presence is kept. */
  REDIS_URL: z.string().default('redis://127.0.0.1:6379'),
  /** In front of every Redis key; the same as the gateways'. */
  REDIS_PREFIX: z.string().default(''),
  /** Commits under way at once: more of them are smaller ones. */
  LANES: z.coerce.number().int().min(1).max(16).default(1),
  /** Sends a lane may have waiting before further batches are refused. */
  QUEUE_LIMIT: z.coerce.number().int().positive().default(40_000),
  /** About what a lane's waiting sends may take in memory. */
  QUEUE_LIMIT_BYTES: z.coerce.number().int().positive().default(134_217_728),
  /** Conversations kept in memory with the msgIds of their newest messages. */
  CONVERSATIONS_CACHED: z.coerce.number().int().positive().default(5_000),
  /** Deliveries one gateway has not confirmed; the oldest above it are given up, and the gateway reads what it missed from the log. */
  UNCONFIRMED_NODE_BYTES: z.coerce.number().int().positive().default(8_388_608),
  /** The same of all gateways together. */
  UNCONFIRMED_BYTES: z.coerce.number().int().positive().default(67_108_864),
  /** Members of groups kept in memory, over all groups. */
  MEMBERS_CACHED: z.coerce.number().int().positive().default(1_000_000),
  /** Members a group may have for `im.event.message.offline` of its messages; 0 for those of no group. */
  OFFLINE_EVENTS_GROUP_LIMIT: z.coerce.number().int().min(0).default(10_000),
  /** What the stream of events may take on the disks of NATS; the oldest events go first. For a stream that has no bound yet. */
  EVENTS_MAX_BYTES: z.coerce.number().int().positive().default(4_294_967_296),
  /** About what events may take in memory while the stream does not take them; above it they are read back from the log later. */
  EVENTS_WAITING_BYTES: z.coerce.number().int().positive().default(33_554_432),
  /** How long after sending it the author may take a message back, in seconds; 0 is for ever. */
  RECALL_WITHIN_S: z.coerce.number().int().nonnegative().default(120),
  /** How long after sending it the author may give a message another text, in seconds; 0 is for ever. */
  EDIT_WITHIN_S: z.coerce.number().int().nonnegative().default(0),
  /** Older messages are deleted, but for the newest of each conversation; 0 keeps all. The same in every instance. */
  RETENTION_DAYS: z.coerce.number().nonnegative().default(0),
  /** The longest text, in UTF-16 units. */
  TEXT_LIMIT_UNITS: z.coerce.number().int().positive().default(5_000),
})
export type Config = z.output<typeof configSchema>
