import { randomBytes } from 'node:crypto'
import { createLogger } from '@qunxin/runtime'
import type { Test } from 'tap'
import { connectRedis, createRegistry, createRoutes, type Redis, type Registry, type Routes } from '../../src/index.ts'
import { eventually } from './eventually.ts'

export const logger = createLogger('test', 'silent')

export interface RedisPresence {
  redis: Redis
  prefix: string
  /** What the reader knows by announcements. */
  live: Set<string>
  gateway(node: string, options?: { connectionsPerUser?: number; heartbeatMs?: number }): Promise<Registry>
  reader(options?: { loadTimeoutMs?: number }): Routes
  kill(node: string): Promise<void>
}

/** Gateways and readers on one Redis, below a key prefix of their own. */
export async function redisPresence(t: Test, url: string): Promise<RedisPresence> {
  const prefix = `t${randomBytes(4).toString('hex')}:`
  const connections: Redis[] = []
  const connect = async () => {
    const connection = await connectRedis(url, logger)
    connections.push(connection)
    return connection
  }
  const redis = await connect()
  const gateways = new Map<string, { registry: Registry; redis: Redis }>()
  const live = new Set<string>()
  t.teardown(async () => {
    await Promise.all([...gateways.values()].map(({ registry }) => registry.stop()))
    for (const connection of connections) connection.disconnect()
  })
  return {
    redis,
    prefix,
    live,
    async gateway(node, { heartbeatMs = 1_000, ...options } = {}) {
      const own = await connect()
      const registry = createRegistry({ redis: own, node, logger, prefix, heartbeatMs, renewMs: 1_000, ...options })
      gateways.set(node, { registry, redis: own })
      live.add(node)
      const announced: Registry = {
        node,
        add: (user, conn) => registry.add(user, conn),
        remove: (user, conn) => registry.remove(user, conn),
        stop: () => registry.stop().finally(() => live.delete(node)),
      }
      await eventually(async () => (await redis.exists(`${prefix}node:${node}`)) === 1, 'the node key is there')
      return announced
    },
    reader: (options) => createRoutes({ redis, logger, prefix, liveNodes: () => live, ...options }),
    async kill(node) {
      gateways.get(node)?.redis.disconnect()
      live.delete(node)
      await eventually(async () => (await redis.exists(`${prefix}node:${node}`)) === 0, 'the node key has lapsed')
    },
  }
}
