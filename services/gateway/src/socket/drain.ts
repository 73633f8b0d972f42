import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import type { Connection } from './connection.ts'

/** Everybody at once would come to the other gateways at once. */
const SHARE = 0.05
const AT_LEAST = 50
const SHARE_EVERY_MS = 500
/** Whoever's sends and calls are not answered by then is closed all the same, and asks elsewhere again. */
const ANSWERS_MS = 3_000
/** Who does not answer the closing in this time is gone. */
const HANDSHAKE_MS = 1_000
const LOOK_EVERY_MS = 20

/** Closes all connections with 1001, share by share, each when what it has sent is answered; resolves when all sockets are gone. */
export async function drainConnections(
  open: ReadonlySet<Connection>,
  sockets: ReadonlySet<Pick<WebSocket, 'terminate'>>,
): Promise<void> {
  const staying = [...open]
  const share = Math.max(AT_LEAST, Math.ceil(staying.length * SHARE))
  const leaving = new Map<Connection, number>()
  let nextShareAt = 0
  while (staying.length > 0 || leaving.size > 0) {
    const now = performance.now()
    if (now >= nextShareAt) {
      nextShareAt = now + SHARE_EVERY_MS
      for (const connection of staying.splice(0, share)) leaving.set(connection, now + ANSWERS_MS)
    }
    for (const [connection, until] of leaving) {
      if (connection.open) {
        connection.leaving = connection.stage === 'bound'
        if (!isAnswered(connection) && now < until) continue
        connection.close(1001)
      }
      leaving.delete(connection)
    }
    await delay(LOOK_EVERY_MS)
  }
  const limit = performance.now() + HANDSHAKE_MS
  while (sockets.size > 0 && performance.now() < limit) await delay(LOOK_EVERY_MS)
  for (const socket of sockets) socket.terminate()
}

function isAnswered({ pending, stage }: Connection): boolean {
  return pending === 0 && stage !== 'binding'
}
