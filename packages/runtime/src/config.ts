import { z } from 'zod'

/** What every process is told: where it runs and what it says about itself. */
export const commonConfig = {
  /** With the credentials of the service's NATS user: nats://user:password@host:port, several separated by commas. */
  NATS_URL: z.string().default('nats://127.0.0.1:4222'),
  /** First token of every subject; a second system on one NATS takes another. */
  SUBJECT_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .default('im'),
  /** Where /livez, /readyz and /metrics listen. */
  OPS_HOST: z.string().default('0.0.0.0'),
  /** Port of /livez, /readyz and /metrics; 0 takes a free one. */
  OPS_PORT: z.coerce.number().int().min(0).max(65_535),
  /** The least level that is logged. */
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  /** How many shares conversations are spread over; the same in every process, fixed once there are messages. */
  PARTITIONS: z.coerce.number().int().min(1).max(1024).default(64),
  /** The longest a stop may take before the process gives up and ends. */
  DRAIN_TIMEOUT_MS: z.coerce.number().int().positive().default(25_000),
}

/** `true`/`false`, `on`/`off`, `1`/`0`: z.coerce.boolean would take "false" for true. */
export const flag = z
  .enum(['true', 'false', 'on', 'off', '1', '0'])
  .transform((value) => value === 'true' || value === 'on' || value === '1')

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * Reads settings from the environment once. An empty variable counts as absent.
 *
 * @throws ConfigError naming every wrong or missing setting at once
 */
export function loadConfig<S extends z.ZodObject>(schema: S, env: Record<string, string | undefined>): z.output<S> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
  throw new ConfigError(
    `The configuration is not usable. Set these in the environment (see .env.example):\n${lines.join('\n')}`,
  )
}
