import type { AddressInfo } from 'node:net'
import { connectBus } from '@qunxin/bus'
import { createRegistry, newNodeId, openRedis } from '@qunxin/presence'
import {
  createMetrics,
  type DrainPhase,
  drain,
  type Logger,
  Readiness,
  type Running,
  startOpsServer,
} from '@qunxin/runtime'
import { announce } from './announce.ts'
import { createAuthenticator } from './auth/authenticator.ts'
import { Revocations } from './auth/revocations.ts'
import { MessageInstances } from './binding/message-instances.ts'
import { Calls } from './calls/calls.ts'
import type { GatewayConfig } from './config.ts'
import { registerCallRoutes } from './http/call-routes.ts'
import { registerCanConnect } from './http/can-connect.ts'
import { registerDevLogin } from './http/dev-login.ts'
import { tellGoingAway } from './http/going-away.ts'
import { createOrigins } from './http/origins.ts'
import { createHttpServer } from './http/server.ts'
import { DEFAULT_LIMIT } from './limits/bucket.ts'
import { createRedisLedger } from './limits/ledger.ts'
import { unlimited } from './limits/limits.ts'
import { SharedLimits } from './limits/shared-limits.ts'
import { measure } from './measure.ts'
import { registerPage } from './page/page.ts'
import { collectWhenQuiet } from './quiet.ts'
import { Sends } from './send/sends.ts'
import { registerSocket } from './socket/socket-edge.ts'

/** The shares of drainConnections, and what the last one waits for. */
const SOCKETS_DRAIN_MS = 16_000
/** Of the time a stop may take: to end the process itself. */
const SPARE_MS = 1_000

/**
 * Everybody comes at once when a gateway was gone, and a SYN that finds no room comes again after 1, 3 and 7 s: room for as many as
 * are bound in a few seconds. The kernel may allow fewer (`net.core.somaxconn`, 4,096 by default).
 */
const LISTEN_BACKLOG = 4_096

/** What HS256 asks for. */
const SAFE_SECRET_BYTES = 32
const ANY_ADDRESS = new Set(['0.0.0.0', '::'])

export interface Gateway extends Running {
  /** This process among the gateways. Made at start, so an earlier life of the same machine is another node. */
  node: string
  url: string
  opsUrl: string
}

/** Resolves when it takes connections; waits for NATS as long as it takes, and goes on without Redis. */
export async function startGateway(
  config: GatewayConfig,
  options: { logger: Logger; signal?: AbortSignal },
): Promise<Gateway> {
  const { logger, signal } = options
  const node = newNodeId('gw')
  let stopped: Promise<void> | undefined
  // Undone from the last to the first, in a stop as well as when a later step of the start fails.
  const phases: DrainPhase[] = []
  const undo = (name: string, run: DrainPhase['run'], limitMs = 2_000) => phases.unshift({ name, limitMs, run })

  try {
    const readiness = new Readiness({ nats: 'not connected yet', http: 'not listening yet' })
    const metrics = createMetrics('gateway')
    const ops = await startOpsServer({
      host: config.OPS_HOST,
      port: config.OPS_PORT,
      readiness,
      metrics,
    })
    undo('ops', () => ops.stop())

    const bus = await connectBus({
      url: config.NATS_URL,
      name: `gateway ${node}`,
      prefix: config.SUBJECT_PREFIX,
      inboxPrefix: '_INBOX_gateway',
      logger,
      signal,
    })
    undo('bus', () => bus.close())
    bus.onDisconnect(() => readiness.unmet('nats', 'connection lost'))
    bus.onReconnect(() => readiness.met('nats'))
    readiness.met('nats')

    const redis = await openRedis(config.REDIS_URL, logger, { name: `gateway ${node}` })
    undo('redis', () => redis.disconnect())
    const registry = createRegistry({
      redis,
      node,
      logger,
      prefix: config.REDIS_PREFIX,
      connectionsPerUser: config.MAX_CONNECTIONS_PER_USER,
    })
    undo('presence', () => registry.stop())

    const instances = new MessageInstances({ bus, partitions: config.PARTITIONS, readiness, logger })
    undo('instances', () => instances.stop())
    const revocations = new Revocations({ bus, logger, onRevoked: (user, since) => sockets.closeRevoked(user, since) })
    undo('revocations', () => revocations.stop())
    bus.onReconnect(() => revocations.forget())
    const authenticator = createAuthenticator(config, { notBefore: revocations })
    const ledger = createRedisLedger({ redis, limit: DEFAULT_LIMIT, prefix: config.REDIS_PREFIX })
    const sharedLimits = new SharedLimits({ ledger, logger })
    undo('limits', () => sharedLimits.stop())
    const limits = config.RATE_LIMITS ? sharedLimits : unlimited

    const sends = new Sends({
      bus,
      node,
      partitions: config.PARTITIONS,
      instances,
      timeoutMs: config.SEND_TIMEOUT_MS,
      limit: { sends: config.SENDS_LIMIT, bytes: config.SENDS_LIMIT_BYTES },
    })
    undo('sends', () => sends.stop())
    const calls = new Calls({ bus, sends, limits, timeoutMs: config.CALL_TIMEOUT_MS })

    const origins = createOrigins(config)
    const app = await createHttpServer(config, { logger, origins })
    registerCallRoutes(app, { authenticator, calls })
    const sockets = registerSocket(app, {
      bus,
      node,
      config,
      sends,
      calls,
      limits,
      authenticator,
      origins,
      registry,
      instances,
      onRevoked: (user, notBefore) => revocations.set(user, notBefore),
      logger,
    })
    undo('sockets', () => sockets.stop())
    const quiet = collectWhenQuiet({ connections: () => sockets.size, logger })
    undo('collecting', () => quiet.stop())
    registerCanConnect(app, sockets.canConnect)
    tellGoingAway(app, () => sockets.draining)
    if (config.AUTH_SECRET !== undefined && Buffer.byteLength(config.AUTH_SECRET) < SAFE_SECRET_BYTES)
      logger.warn(`AUTH_SECRET has fewer than ${SAFE_SECRET_BYTES} bytes: who guesses it can sign in as anybody`)
    if (config.DEV_LOGIN && config.AUTH_SECRET !== undefined) {
      logger.warn('DEV_LOGIN is on: POST /dev/token gives a token to whoever asks. Never do this in production')
      registerDevLogin(app, { ...config, AUTH_SECRET: config.AUTH_SECRET })
      await registerPage(app)
    }
    measure(metrics, { sockets, sends, calls, bus })
    const announcement = announce(bus, node)
    undo('announcement', () => announcement.stop())
    undo('sends under way', () => sends.idle(), config.SEND_TIMEOUT_MS + 500)
    await app.listen({ host: config.HOST, port: config.PORT, backlog: LISTEN_BACKLOG })
    readiness.met('http')
    undo('http', () => app.close(), config.SEND_TIMEOUT_MS + 1_000)
    undo('connections', () => sockets.drain(), SOCKETS_DRAIN_MS)

    const { port } = app.server.address() as AddressInfo
    const url = `http://${ANY_ADDRESS.has(config.HOST) ? '127.0.0.1' : config.HOST}:${port}`
    logger.info({ node, url, opsUrl: ops.url }, 'ready')
    return {
      node,
      url,
      opsUrl: ops.url,
      stop() {
        readiness.unmet('draining', 'this process is stopping')
        stopped ??= drain(phases, logger, config.DRAIN_TIMEOUT_MS - SPARE_MS)
        return stopped
      },
    }
  } catch (error) {
    await drain(phases, logger)
    throw error
  }
}
