import { Gauge, type Registry } from '@qunxin/runtime'
import type { Sends } from './send/sends.ts'
import type { SocketEdge } from './socket/socket-edge.ts'

/** What `/metrics` shows beside the process's own figures. */
export function measure(metrics: Registry, options: { sockets: SocketEdge; sends: Sends }): void {
  const { sockets, sends } = options
  const registers = [metrics]
  new Gauge({
    name: 'qunxin_gateway_connections',
    help: 'Open WebSocket connections, bound or not',
    registers,
    collect() {
      this.set(sockets.size)
    },
  })
  new Gauge({
    name: 'qunxin_gateway_sends_pending',
    help: 'Sends that wait to be acknowledged',
    registers,
    collect() {
      this.set(sends.pending)
    },
  })
}
