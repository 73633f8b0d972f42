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

export interface Plan {
  /** Every process the options ask for. */
  all(): Promise<PlannedService[]>
  /** One more of that kind; a gateway takes a free port. */
  next(kind: ServiceKind): Promise<PlannedService>
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

/** Processes of ours, each as the NATS user of its service; no name is given twice. */
export function planServices(
  options: SystemOptions,
  parts: { ports: readonly number[]; authSecret: string; devstack: Devstack },
): Plan {
  const { ports, authSecret, devstack } = parts
  const host = options.host ?? '127.0.0.1'
  const planned: Record<ServiceKind, number> = { gateway: 0, 'group-service': 0, 'message-service': 0 }

  const gatewayEnv = (port: number) => ({
    HOST: host,
    PORT: `${port}`,
    AUTH_SECRET: authSecret,
    DEV_LOGIN: 'true',
    RATE_LIMITS: options.rateLimits === false ? 'off' : 'on',
  })
  const plan = async (kind: ServiceKind, port?: number): Promise<PlannedService> => {
    planned[kind] += 1
    const name = `${kind}-${planned[kind]}`
    const env = {
      NATS_URL: devstack.natsUrl(kind),
      MONGO_URL: devstack.mongoUrl,
      REDIS_URL: devstack.redisUrl,
      ...options.serviceEnv,
      ...(port !== undefined && gatewayEnv(port)),
    }
    return {
      kind,
      name,
      ...(port !== undefined && { url: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}` }),
      env: { ...env, ...(await options.serviceEnvOf?.({ kind, name }, env)) },
    }
  }
  const several = (kind: ServiceKind, count = 1) => Array.from({ length: count }, () => plan(kind))
  return {
    all: () =>
      Promise.all([
        ...ports.map((port) => plan('gateway', port)),
        ...several('group-service', options.groupServices),
        ...several('message-service', options.messageServices),
      ]),
    next: async (kind) => plan(kind, kind === 'gateway' ? await freePort() : undefined),
  }
}
