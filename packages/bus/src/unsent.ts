import type { Socket } from 'node:net'
import type { NatsConnection } from '@nats-io/transport-node'

/** Far more than a busy moment, far less than a heap: above it a server that stands still is published nothing more. */
export const MAX_UNSENT_BYTES = 16 * 1024 * 1024

/**
 * The one place that looks into the NATS client, which keeps no bound of its own: what it has buffered itself, and what the
 * socket has taken from it and not passed on.
 */
interface Inside {
  protocol?: { outbound?: { length(): number }; transport?: { socket?: Pick<Socket, 'writableLength'> } }
}

/** What was published on a connection and has not left the process, in bytes. */
export function unsentBytes(nats: NatsConnection): number {
  const { protocol } = nats as unknown as Inside
  return (protocol?.outbound?.length() ?? 0) + (protocol?.transport?.socket?.writableLength ?? 0)
}
