import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import { AppError, type Logger } from '@qunxin/runtime'
import { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, fastify, LogController } from 'fastify'
import type { GatewayConfig } from '../config.ts'
import { limitBodies } from './body-budget.ts'
import type { Origins } from './origins.ts'
import { refuse, refuseUnreadable } from './refuse.ts'

/** Who sends slower than this sends nothing worth keeping a connection for. */
const HEADERS_TIMEOUT_MS = 15_000
const REQUEST_TIMEOUT_MS = 30_000
/** Above the idle limit of usual load balancers, so that they close first and never write into a closing connection. */
const KEEP_ALIVE_MS = 75_000

/** Fastify with everything both edges stand on; routes are registered by the caller, who also listens and closes. */
export async function createHttpServer(
  config: Pick<GatewayConfig, 'BODY_LIMIT_BYTES'>,
  options: { logger: Logger; origins: Origins },
): Promise<FastifyInstance> {
  const { logger, origins } = options
  const app: FastifyInstance = fastify({
    loggerInstance: logger.child({}, { serializers: { req: describe, path: withoutQuery } }) as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: () => randomUUID(),
    bodyLimit: config.BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, shouldUpgradeCallback: asksForWebSocket },
    // Requests under way are finished while closing: load balancers see no 503 of a node that drains.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (_error, request, reply) => {
      refuse(new AppError('UNKNOWN_OPERATION'), request, reply)
    },
  })
  limitBodies(app)
  app.removeContentTypeParser('text/plain')
  app.setErrorHandler((error, request, reply) => refuse(error, request, reply))
  app.setNotFoundHandler((request, reply) => refuse(new AppError('UNKNOWN_OPERATION'), request, reply))

  await app.register(helmet, {
    contentSecurityPolicy: {
      directives: { 'connect-src': ["'self'", 'ws:', 'wss:'], 'upgrade-insecure-requests': null },
    },
  })
  await app.register(cors, {
    delegator: async ({ headers }: FastifyRequest) => {
      const allowed = headers.origin !== undefined && origins.allows(headers.origin, headers.host)
      return { origin: allowed ? headers.origin : false, exposedHeaders: ['Retry-After'], maxAge: 600 }
    },
  })
  return app
}

/** Clients offer HTTP/2 with their first call: whatever else is asked for is left at HTTP/1, where a call has its body. */
function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket'
}

/** A token may stand in the query, so no log shows one (protocol §1). */
function withoutQuery(url: string): string {
  return url.split('?')[0] ?? ''
}

function describe(request: { method?: string; url?: string }): { method: string; path: string } {
  return { method: request.method ?? '', path: withoutQuery(request.url ?? '') }
}
