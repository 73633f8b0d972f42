import { type Logger, untilAvailable } from '@qunxin/runtime'
import { Redis } from 'ioredis'

const COMMAND_TIMEOUT_MS = 1_000

/**
 * Connects, waiting as long as it takes and saying so; from then on the client reconnects for ever. While it is away
 * commands fail at once instead of piling up: presence can be rebuilt, and nothing waits for it.
 */
export function connectRedis(
  url: string,
  logger: Logger,
  options: { name?: string; signal?: AbortSignal | undefined } = {},
): Promise<Redis> {
  const { host } = new URL(url)
  const attempt = async () => {
    let connected = false
    const redis = new Redis(url, {
      ...(options.name !== undefined && { connectionName: options.name }),
      lazyConnect: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      enableAutoPipelining: true,
      connectTimeout: 3_000,
      commandTimeout: COMMAND_TIMEOUT_MS,
      retryStrategy: (times) => (connected ? Math.min(100 * times, 1_000) + Math.random() * 200 : null),
    })
    let lastError = ''
    redis.on('error', (error) => {
      lastError = error.message
    })
    try {
      await redis.connect()
    } catch (error) {
      redis.disconnect()
      throw lastError === '' ? error : new Error(lastError)
    }
    connected = true
    let lost = false
    redis.on('close', () => {
      if (lost || redis.status === 'end') return
      lost = true
      logger.warn({ reason: lastError }, 'Redis connection lost, reconnecting')
    })
    redis.on('ready', () => {
      if (lost) logger.info('Redis connection is back')
      lost = false
    })
    return redis
  }
  return untilAvailable(`Redis at ${host}`, attempt, { logger, signal: options.signal })
}
