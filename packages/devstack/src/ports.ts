import { createServer } from 'node:net'
import { SetupError } from './progress.ts'

/** True when nothing listens on the port at this host. */
export function portIsFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/**
 * A port nobody listens on. Taken below the range the system uses for outgoing connections, so that none of those can
 * occupy it before the server binds.
 */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await portIsFree(preferred))) return preferred
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (!handedOut.has(port) && (await portIsFree(port))) {
      handedOut.add(port)
      return port
    }
  }
  throw new SetupError('Found no free TCP port between 20000 and 32000.')
}

// Two servers that start at the same moment must not be given the same port.
const handedOut = new Set<number>()

/** @throws SetupError naming the port and the setting that changes it */
export async function requireFreePort(port: number, use: { what: string; setting: string }): Promise<void> {
  if ((await portIsFree(port, '127.0.0.1')) && (await portIsFree(port, '0.0.0.0'))) return
  throw new SetupError(
    `Port ${port} is taken, and ${use.what} needs it. Stop what listens there, or choose another by ${use.setting}, ` +
      `for example: ${use.setting}=${port + 1000} npm start`,
  )
}
