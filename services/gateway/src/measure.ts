import type { Bus } from '@qunxin/bus'
import { type Registry, readings } from '@qunxin/runtime'
import type { Calls } from './calls/calls.ts'
import type { Sends } from './send/sends.ts'
import type { SocketEdge } from './socket/socket-edge.ts'

/** What `/metrics` shows beside the process's own figures: what is there, and what waits within which bound. */
export function measure(
  metrics: Registry,
  options: { sockets: SocketEdge; sends: Sends; calls: Calls; bus: Pick<Bus, 'unsentBytes'> },
): void {
  const { sockets, sends, calls, bus } = options
  const { gauge, counter } = readings(metrics)
  gauge('qunxin_gateway_connections', 'Open WebSocket connections, bound or not', () => sockets.size)
  gauge('qunxin_gateway_sends_pending', 'Sends that wait to be acknowledged', () => sends.pending)
  gauge('qunxin_gateway_sends_pending_bytes', 'What those sends take as JSON', () => sends.pendingBytes)
  gauge('qunxin_gateway_receipts_pending', 'Receipts no owner has stored yet', () => sockets.receiptsPending)
  gauge('qunxin_gateway_calls_pending', 'Calls that wait for their service', () => calls.underWay)
  gauge('qunxin_gateway_unread_bytes', 'What waits for clients to read it', () => sockets.unreadBytes)
  gauge(
    'qunxin_gateway_waiting_bytes',
    'Frames that wait for a binding or for the limit of their user',
    () => sockets.waitingBytes,
  )
  gauge('qunxin_gateway_nats_unsent_bytes', 'What was published and NATS has not taken', () => bus.unsentBytes)
  counter(
    'qunxin_gateway_catch_ups_total',
    'Times deliveries were lost for good, and the backlog of everybody connected was read',
    () => sockets.catchUps,
  )
  counter('qunxin_gateway_sends_overloaded_total', 'Sends refused because too much was waiting', () => sends.overloaded)
}
