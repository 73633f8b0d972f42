import { z } from 'zod'

const positive = (value: number) => z.coerce.number().int().positive().default(value)

const schema = z.object({
  NATS_URL: z.string().min(1),
  STREAM: z.string().min(1).default('IM_EVENTS'),
  SUBJECTS: z
    .string()
    .default('im.event.message.offline')
    .transform((list) => list.split(',').map((subject) => subject.trim())),
  CONSUMER: z
    .string()
    .regex(/^[\w-]+$/)
    .default('webhook-bridge'),
  START: z.enum(['new', 'all']).default('new'),
  WEBHOOK_URL: z.url({ protocol: /^https?$/ }),
  WEBHOOK_SECRET: z.string().min(16),
  TIMEOUT_MS: positive(10_000),
  ATTEMPTS: positive(10),
  BACKOFF_MS: positive(500),
  LONGEST_BACKOFF_MS: positive(30_000),
  BATCH_FACTS: positive(500),
  BATCH_WAIT_MS: positive(100),
  IN_HAND: positive(100),
  ACK_WAIT_MS: positive(15_000),
  DEAD_LETTERS: z.string().min(1).default('dead-letters.jsonl'),
})
/** What README.md lists. */
export type Config = z.output<typeof schema>

/** Reads the environment once and names everything that is wrong with it. */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const read = schema.safeParse(environment)
  if (read.success) return read.data
  throw new Error(`The configuration is wrong.\n${z.prettifyError(read.error)}`)
}
