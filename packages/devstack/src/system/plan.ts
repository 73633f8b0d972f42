import type { Devstack } from '../devstack.ts'
import { freePort, requireFreePort } from '../ports.ts'
import type { SystemOptions } from './options.ts'
import type { ServiceKind } from './service.ts'

/** One process to start, with its environment. */
export interface PlannedService {
  kind: ServiceKind
  name: string
  url?: string
  env: Record<string, string | undefined>
}

/** @throws SetupError when a port that was asked for is taken */
export async function gatewayPorts(options: SystemOptions): Promise<number[]> {
  const ports: number[] = []
  for (let index = 0; index < (options.gateways ?? 1); index += 1) {
    const port = options.port === undefined ? await freePort() : options.port + index
    if (options.port !== undefined) await requireFreePort(port, { what: `gateway-${index + 1}`, setting: 'PORT' })
    ports.push(port)
  }
  return ports
}

/** Every process of ours, each as the NATS user of its service. */
export function planServices(
  options: SystemOptions,
  parts: { ports: readonly number[]; authSecret: string; devstack: Devstack },
): PlannedService[] {
  const { ports, authSecret, devstack } = parts
  const host = options.host ?? '127.0.0.1'
  const env = (user: ServiceKind) => ({
    NATS_URL: devstack.natsUrl(user),
    MONGO_URL: devstack.mongoUrl,
    REDIS_URL: devstack.redisUrl,
    ...options.serviceEnv,
  })
  const several = (kind: ServiceKind, count = 1): PlannedService[] =>
    Array.from({ length: count }, (_, index) => ({ kind, name: `${kind}-${index + 1}`, env: env(kind) }))
  const gateways = ports.map((port, index) => ({
    kind: 'gateway' as const,
    name: `gateway-${index + 1}`,
    url: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`,
    env: {
      ...env('gateway'),
      HOST: host,
      PORT: `${port}`,
      AUTH_SECRET: authSecret,
      DEV_LOGIN: 'true',
      RATE_LIMITS: options.rateLimits === false ? 'off' : 'on',
    },
  }))
  return [
    ...gateways,
    ...several('group-service', options.groupServices),
    ...several('message-service', options.messageServices),
  ]
}
