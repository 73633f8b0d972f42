import { type Logger, untilAvailable } from '@qunxin/runtime'
import { Redis } from 'ioredis'

const COMMAND_TIMEOUT_MS = 1_000
const FIRST_ATTEMPT_MS = 1_000
/** How often it is said that Redis is still away. */
const SAID_EVERY_MS = 5_000

export interface RedisConnectionOptions {
  /** Shown in Redis's list of clients. */
  name?: string
}

/**
 * Resolves when the first attempt to connect has come to something, after a second at most; from then on the client connects
 * for ever, saying when Redis is away and when it is back. While it is away commands fail at once instead of piling up:
 * what Redis holds can be rebuilt, and nothing waits for it.
 */
export async function openRedis(url: string, logger: Logger, options: RedisConnectionOptions = {}): Promise<Redis> {
  const redis = new Redis(url, {
    ...clientOptions(options),
    retryStrategy: (times) => Math.min(100 * times, 1_000) + Math.random() * 200,
  })
  say(redis, { logger, host: new URL(url).host, connected: false })
  await new Promise<void>((resolve) => {
    const limit = setTimeout(resolve, FIRST_ATTEMPT_MS)
    for (const event of ['ready', 'close'])
      redis.once(event, () => {
        clearTimeout(limit)
        resolve()
      })
  })
  return redis
}

/** Resolves when Redis is there, waiting as long as it takes and saying so; from then on the client is one of `openRedis`. */
export function connectRedis(
  url: string,
  logger: Logger,
  options: RedisConnectionOptions & { signal?: AbortSignal | undefined } = {},
): Promise<Redis> {
  const { host } = new URL(url)
  const attempt = async () => {
    let connected = false
    const redis = new Redis(url, {
      ...clientOptions(options),
      lazyConnect: true,
      retryStrategy: (times) => (connected ? Math.min(100 * times, 1_000) + Math.random() * 200 : null),
    })
    let reason = ''
    const note = (error: Error) => {
      reason = error.message
    }
    redis.on('error', note)
    try {
      await redis.connect()
    } catch (error) {
      redis.disconnect()
      throw reason === '' ? error : new Error(reason)
    }
    connected = true
    redis.off('error', note)
    say(redis, { logger, host, connected })
    return redis
  }
  return untilAvailable(`Redis at ${host}`, attempt, { logger, signal: options.signal })
}

const clientOptions = ({ name }: RedisConnectionOptions) => ({
  ...(name !== undefined && { connectionName: name }),
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  enableAutoPipelining: true,
  connectTimeout: 3_000,
  commandTimeout: COMMAND_TIMEOUT_MS,
})

function say(redis: Redis, options: { logger: Logger; host: string; connected: boolean }): void {
  const { logger, host } = options
  let { connected } = options
  let away = false
  let saidAt = -Infinity
  let reason = ''
  redis.on('error', (error) => {
    reason = error.message
  })
  redis.on('close', () => {
    if (redis.status === 'end') return
    away = true
    const now = performance.now()
    if (now - saidAt < SAID_EVERY_MS) return
    saidAt = now
    logger.warn(
      { reason },
      connected ? 'Redis connection lost, reconnecting' : `Redis at ${host} is away, going on without`,
    )
  })
  redis.on('ready', () => {
    if (away) logger.info(connected ? 'Redis connection is back' : 'Redis is there')
    connected = true
    away = false
    saidAt = -Infinity
  })
}
