import { commonConfig, flag, loadConfig } from '@qunxin/runtime'
import { z } from 'zod'

const milliseconds = z.coerce.number().int().positive()
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== ''),
)

const settings = z.object({
  ...commonConfig,
  OPS_PORT: commonConfig.OPS_PORT.default(9080),
  /** Where HTTP and WebSocket listen. */
  HOST: z.string().default('0.0.0.0'),
  /** HTTP and WebSocket; 0 takes a free one, so that many gateways run on one machine. */
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  /** Where presence and what users have sent lately are kept. */
  REDIS_URL: z.string().default('redis://127.0.0.1:6379'),
  /** Put before every Redis key; a second system on one Redis takes another. */
  REDIS_PREFIX: z.string().default(''),

  /** Verifies HS256 tokens. */
  AUTH_SECRET: z.string().optional(),
  /** Where the public keys of RS, ES and EdDSA tokens are. */
  AUTH_JWKS_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** The `aud` a token must have, when set. */
  AUTH_AUDIENCE: z.string().optional(),
  /** The `iss` a token must have, when set. */
  AUTH_ISSUER: z.string().optional(),
  /** Hands a token to whoever asks: POST /dev/token, and the page at /. Never in production. */
  DEV_LOGIN: flag.default(false),
  /** Origins whose pages may connect, comma-separated; `*` allows all, empty only the gateway's own. */
  ALLOWED_ORIGINS: list.default([]),

  /** The limits per user, over all gateways; off for load tools only. */
  RATE_LIMITS: flag.default(true),
  /** The largest WebSocket frame. */
  FRAME_LIMIT_BYTES: z.coerce
    .number()
    .int()
    .min(1024)
    .default(64 * 1024),
  /** The largest HTTP body. */
  BODY_LIMIT_BYTES: z.coerce
    .number()
    .int()
    .min(1024)
    .default(256 * 1024),
  /** How long a send waits to be stored before it ends TIMEOUT. */
  SEND_TIMEOUT_MS: milliseconds.default(5_000),
  /** Sends that may wait to be stored, of all clients together; above it they end UNAVAILABLE at once. */
  SENDS_LIMIT: z.coerce.number().int().positive().default(20_000),
  /** What those sends may take as JSON; in memory it is about three times that. */
  SENDS_LIMIT_BYTES: z.coerce
    .number()
    .int()
    .min(1024 * 1024)
    .default(32 * 1024 * 1024),
  /** What may wait for clients that read slowly, of all sockets together; above it the slowest are closed 4008. */
  SLOW_SOCKETS_LIMIT_BYTES: z.coerce
    .number()
    .int()
    .min(1024 * 1024)
    .default(128 * 1024 * 1024),
  /** How long a call waits for the service that serves it. */
  CALL_TIMEOUT_MS: milliseconds.default(5_000),
  /** How long a socket may stay without a user. */
  BIND_TIMEOUT_MS: milliseconds.default(10_000),
  /** Every connection is pinged this often; one that has not answered by the next ping is dead. */
  PING_EVERY_MS: milliseconds.default(25_000),
  /** Of one user; a further one closes the oldest. */
  MAX_CONNECTIONS_PER_USER: z.coerce.number().int().positive().default(10),
  /** Of this process; above it canConnect answers false. */
  MAX_CONNECTIONS: z.coerce.number().int().positive().default(50_000),
})

/** Runs beside the other checks, so that all faults are listed at once. */
const beside = { when: () => true }

export const gatewayConfig = settings
  .refine((config) => config.AUTH_SECRET !== undefined || config.AUTH_JWKS_URL !== undefined, {
    path: ['AUTH_SECRET'],
    message: 'AUTH_SECRET or AUTH_JWKS_URL is needed to verify tokens',
    ...beside,
  })
  .refine((config) => String(config.DEV_LOGIN) !== 'true' || config.AUTH_SECRET !== undefined, {
    path: ['DEV_LOGIN'],
    message: 'DEV_LOGIN signs its tokens with AUTH_SECRET, which is missing',
    ...beside,
  })

export type GatewayConfig = z.output<typeof gatewayConfig>

export function readConfig(env: Record<string, string | undefined>): GatewayConfig {
  return loadConfig(gatewayConfig, env)
}
