import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'
import type { Readiness } from './readiness.ts'

export interface OpsServer {
  url: string
  stop(): Promise<void>
}

/** `/livez` (the process answers), `/readyz` (it takes work; 503 with the reasons when not), `/metrics` (Prometheus). */
export async function startOpsServer(options: {
  host: string
  port: number
  readiness: Readiness
  metrics: Registry
}): Promise<OpsServer> {
  const { readiness, metrics } = options
  const server = createServer(async (request, response) => {
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.url === '/livez') json(200, { live: true })
    else if (request.url === '/readyz')
      json(readiness.ready ? 200 : 503, { ready: readiness.ready, waitingFor: readiness.faults })
    else if (request.url === '/metrics') {
      response.writeHead(200, { 'content-type': metrics.contentType }).end(await metrics.metrics())
    } else json(404, { error: 'try /livez, /readyz or /metrics' })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${options.host === '0.0.0.0' ? '127.0.0.1' : options.host}:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
