import { connect, type NatsConnection } from '@nats-io/transport-node'
import { type Logger, untilAvailable } from '@qunxin/runtime'

export interface ConnectionOptions {
  /** `nats://user:password@host:port`, several separated by commas. */
  url: string
  /** Shown by the NATS server's monitoring. */
  name: string
  /** Replies come to `<inboxPrefix>.>`: each service has its own, so that none can read another's. */
  inboxPrefix: string
  logger: Logger
  signal?: AbortSignal | undefined
}

function parseServers(url: string): { servers: string[]; user?: string; pass?: string } {
  const urls = url.split(',').map((one) => new URL(one.trim()))
  const credentials = urls.find((one) => one.username !== '')
  return {
    servers: urls.map((one) => one.host),
    ...(credentials && {
      user: decodeURIComponent(credentials.username),
      pass: decodeURIComponent(credentials.password),
    }),
  }
}

/** Connects, waiting as long as it takes; from then on the client reconnects for ever (its own default gives up after ten tries). */
export function connectNats(options: ConnectionOptions): Promise<NatsConnection> {
  const { servers, ...credentials } = parseServers(options.url)
  const attempt = () =>
    connect({
      servers,
      ...credentials,
      name: options.name,
      inboxPrefix: options.inboxPrefix,
      maxReconnectAttempts: -1,
      // Its default closes for good at the second refusal: a process would live on without NATS, for ever.
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: 500,
      reconnectJitter: 500,
      pingInterval: 10_000,
      maxPingOut: 2,
      timeout: 3_000,
      noAsyncTraces: true,
    })
  return untilAvailable(`NATS at ${servers.join(', ')}`, attempt, { logger: options.logger, signal: options.signal })
}
