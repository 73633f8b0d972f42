import type { Progress } from '../progress.ts'
import type { ServiceKind } from './service.ts'

/** How `startSystem` is to start the system. */
export interface SystemOptions {
  /** Data, logs and run.json. */
  dataDir: string
  /** Of the first gateway, further ones follow; left out, each takes a free one. */
  port?: number
  host?: string
  /** One of each unless said otherwise. */
  gateways?: number
  groupServices?: number
  messageServices?: number
  /** Left out, one is made and kept in the data folder. */
  authSecret?: string
  rateLimits?: boolean
  /** Further settings of the services (services/<name>/src/config.ts). */
  serviceEnv?: Record<string, string>
  /** Settings of one process, over all others; it is shown what it would get, to put a proxy before a server, say. */
  serviceEnvOf?: (
    service: { kind: ServiceKind; name: string },
    planned: Record<string, string | undefined>,
  ) => Promise<Record<string, string>> | Record<string, string>
  /** Where NATS_URL, MONGO_URL and REDIS_URL are looked for. */
  env?: Record<string, string | undefined>
  /** False when the data need not outlive this run. */
  durable?: boolean
  /** The longest pause before a process that ended is started again; 5 s unless said otherwise. */
  restartWithinMs?: number
  progress?: Progress
  /** Gives up a start that is under way. */
  signal?: AbortSignal
}
