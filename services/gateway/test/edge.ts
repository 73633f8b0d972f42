import { createLogger, type Logger } from '@qunxin/runtime'
import type { FastifyInstance } from 'fastify'
import { createAuthenticator } from '../src/auth/authenticator.ts'
import { Calls, type CallsOptions } from '../src/calls/calls.ts'
import { type GatewayConfig, readConfig } from '../src/config.ts'
import { registerCallRoutes } from '../src/http/call-routes.ts'
import { registerCanConnect } from '../src/http/can-connect.ts'
import { registerDevLogin } from '../src/http/dev-login.ts'
import { createOrigins } from '../src/http/origins.ts'
import { createHttpServer } from '../src/http/server.ts'
import { unlimited } from '../src/limits/limits.ts'
import { registerPage } from '../src/page/page.ts'
import { SECRET, token } from './tokens.ts'

/** The HTTP edge with nothing behind it, but for what a test puts there. */
export async function edge(
  options: Partial<CallsOptions> & { env?: Record<string, string>; logger?: Logger; canConnect?: () => boolean } = {},
): Promise<FastifyInstance> {
  const config: GatewayConfig = readConfig({ AUTH_SECRET: SECRET, ...options.env })
  const logger = options.logger ?? createLogger('test', 'silent')
  const authenticator = createAuthenticator(config, { notBefore: { of: () => 0 } })
  const calls = new Calls({
    bus: { request: () => Promise.reject(new Error('nothing is behind this edge')) },
    sends: { submit: () => {}, refused: () => {} },
    limits: unlimited,
    timeoutMs: 5_000,
    ...options,
  })
  const app = await createHttpServer(config, { logger, origins: createOrigins(config) })
  registerCallRoutes(app, { authenticator, calls })
  registerCanConnect(app, options.canConnect ?? (() => true))
  if (config.DEV_LOGIN) {
    registerDevLogin(app, { ...config, AUTH_SECRET: SECRET })
    await registerPage(app)
  }
  await app.ready()
  return app
}

/** A request of seed A as user 1000221, with the given headers changed. */
export async function call(app: FastifyInstance, path: string, data?: unknown, changed: Record<string, unknown> = {}) {
  const headers = { uid: '1000221', accessToken: await token(), client: 'F9FQXGP8FCM5', ...changed }
  const response = await app.inject({ method: 'POST', url: path, payload: { headers, data } })
  return { status: response.statusCode, http: response.headers, sent: headers, body: response.json() }
}
