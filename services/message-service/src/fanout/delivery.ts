import type { Bus } from '@qunxin/bus'
import { connectRedis, createRoutes, type Redis } from '@qunxin/presence'
import type { Logger } from '@qunxin/runtime'
import type { Config } from '../config.ts'
import type { MembershipCache } from '../membership/cache.ts'
import { Audiences } from './audiences.ts'
import { Gateways } from './gateways.ts'
import { membersNow } from './members-now.ts'
import { type DeliveryMetrics, NodeStreams } from './node-streams.ts'
import { type RedirectOptions, redirect } from './redirect.ts'
import { LateRoutes } from './routes.ts'

export interface DeliveryOptions {
  config: Pick<Config, 'UNCONFIRMED_NODE_BYTES' | 'UNCONFIRMED_BYTES' | 'REDIS_URL' | 'REDIS_PREFIX'>
  bus: Bus
  instance: string
  membership: MembershipCache
  unreached: RedirectOptions['unreached']
  unknown: RedirectOptions['unknown']
  /** Deliveries were given up whose oldest was published so long ago (ms). */
  lost(agoMs: number): void
  metrics: DeliveryMetrics
  logger: Logger
}

export interface Delivery {
  streams: NodeStreams
  gateways: Gateways
  routes: LateRoutes
  audiences: Audiences
  /** Ends the connection to Redis. */
  disconnect(): void
  /** Resolves when what gateways died with is on its way to others. */
  redirected(): Promise<void>
}

/** The ways to the gateways: which of them live, what each has not confirmed yet, and where users are. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { config, bus, instance, membership, unreached, unknown, lost, metrics, logger } = options
  const redirects = new Set<Promise<void>>()
  const redirectFrom = async (node: string, deliveries: readonly Uint8Array[]) => {
    try {
      await redirect(node, deliveries, {
        instance,
        routes,
        lives: (node) => gateways.live.has(node),
        membersNow: (group) => membersNow(membership, group),
        publish: (to, payload) => streams.publish(to, payload),
        unreached,
        unknown,
      })
    } catch (error) {
      logger.error({ err: error, node }, 'what a gateway did not confirm could not be sent elsewhere')
    }
  }
  const streams = new NodeStreams({
    bus,
    instance,
    limits: { node: config.UNCONFIRMED_NODE_BYTES, all: config.UNCONFIRMED_BYTES },
    redirect: (node, deliveries) => {
      const redirecting = redirectFrom(node, deliveries).finally(() => redirects.delete(redirecting))
      redirects.add(redirecting)
    },
    lost,
    metrics,
    logger,
  })
  // A user looked up while a gateway was not known to live may have been taken for absent.
  const gateways: Gateways = new Gateways(bus, {
    appeared: () => routes.dropAll(),
    heard: (node) => streams.heard(node),
    left: (node) => streams.left(node),
  })
  const routes = new LateRoutes(() => streams.nodes)
  const audiences = new Audiences(routes)
  const disconnect = connectRoutes(config, { routes, liveNodes: () => streams.nodes, logger })
  gateways.follow(routes, instance)
  return {
    streams,
    gateways,
    routes,
    audiences,
    disconnect,
    async redirected() {
      await Promise.all(redirects)
    },
  }
}

/** Connects Redis beside everything else; returns what ends it. */
function connectRoutes(
  config: Pick<Config, 'REDIS_URL' | 'REDIS_PREFIX'>,
  { routes, liveNodes, logger }: { routes: LateRoutes; liveNodes(): Iterable<string>; logger: Logger },
): () => void {
  const over = new AbortController()
  let redis: Redis | undefined
  connectRedis(config.REDIS_URL, logger, { name: 'message-service', signal: over.signal }).then(
    (connected) => {
      redis = connected
      if (over.signal.aborted) redis.disconnect()
      else routes.use(createRoutes({ redis, logger, liveNodes, prefix: config.REDIS_PREFIX }))
    },
    () => {},
  )
  return () => {
    over.abort()
    redis?.disconnect()
  }
}
