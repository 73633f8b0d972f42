import { setTimeout as delay } from 'node:timers/promises'
import type { Connection } from './connection.ts'

/** Everybody at once would come to the other gateways at once. */
const SHARE = 0.05
const AT_LEAST = 50
const SHARE_EVERY_MS = 500
const HANDSHAKE_MS = 1_000
const LOOK_EVERY_MS = 20

/** Closes all connections with 1001, share by share, each when what it has sent is answered; resolves when they are gone. */
export async function drainConnections(open: ReadonlySet<Connection>, answered: Promise<void>): Promise<void> {
  const leaving = [...open]
  const share = Math.max(AT_LEAST, Math.ceil(leaving.length * SHARE))
  for (let at = 0; at < leaving.length; at += share) {
    if (at > 0) await delay(SHARE_EVERY_MS)
    for (const connection of leaving.slice(at, at + share)) leave(connection)
  }
  await answered
  const limit = performance.now() + HANDSHAKE_MS
  const gone = () => leaving.every(({ socket }) => socket.readyState === socket.CLOSED)
  while (!gone() && performance.now() < limit) await delay(LOOK_EVERY_MS)
  for (const { socket } of leaving) socket.terminate()
}

function leave(connection: Connection): void {
  connection.leaving = true
  if (connection.pending === 0) connection.close(1001)
}
