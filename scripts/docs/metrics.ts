import { createMetrics, type Registry } from '../../packages/runtime/src/metrics.ts'
import { measure } from '../../services/gateway/src/measure.ts'
import { serviceMetrics } from '../../services/message-service/src/metrics.ts'
import { code, table } from './markdown.ts'

/** Our own metrics of each service; those of the process itself are Prometheus's usual ones. */
export async function metricsTable(): Promise<string> {
  const gateway = createMetrics('gateway')
  measure(gateway, {
    sockets: { size: 0, catchUps: 0, unreadBytes: 0, waitingBytes: 0, receiptsPending: 0 } as never,
    sends: { pending: 0, pendingBytes: 0, overloaded: 0 } as never,
    calls: { underWay: 0 } as never,
    bus: { unsentBytes: 0 },
  })
  const messages = createMetrics('message-service')
  serviceMetrics(messages, {
    waiting: () => 0,
    reads: () => 0,
    conversations: () => 0,
    partitions: () => 0,
    unconfirmed: () => ({ deliveries: 0, bytes: 0 }),
    events: () => ({ waiting: 0, behindMs: 0 }),
  })
  const rows = [...(await ownRows('gateway', gateway)), ...(await ownRows('message-service', messages))]
  return table(['service', 'metric', 'type', ''], rows)
}

async function ownRows(service: string, registry: Registry): Promise<string[][]> {
  const metrics = await registry.getMetricsAsJSON()
  return metrics
    .filter(({ name }) => name.startsWith('qunxin_'))
    .map(({ name, type, help }) => [service, code(name), String(type), help])
}
