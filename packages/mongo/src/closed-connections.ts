import type { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'

/** What is used of the driver's `lib/cmap/connection.js`, which its public interface does not show. */
interface Connection extends EventEmitter {
  closed: boolean
  error: Error | null
  writeCommand(...args: unknown[]): Promise<void>
}

const require = createRequire(import.meta.url)
let done = false

/**
 * A command larger than a socket takes at once waits for the socket's `drain`, and for nothing else: one that is closed without
 * an error (the server went, the socket timeout passed, the pool was cleared) never drains, so the command is never answered
 * and its connection never given back. Here the end of the connection ends the wait, with the driver's own error, after which
 * the driver tries again what it would have tried again otherwise (ADR 0014).
 */
export function endWritesOfClosedConnections(): void {
  if (done) return
  done = true
  const { prototype } = (require('mongodb/lib/cmap/connection.js') as { Connection: { prototype: Connection } })
    .Connection
  const { writeCommand } = prototype
  prototype.writeCommand = function (this: Connection, ...args) {
    return new Promise((resolve, reject) => {
      const onClose = () => reject(this.error)
      if (this.closed) return onClose()
      this.once('close', onClose)
      writeCommand
        .apply(this, args)
        .then(resolve, reject)
        .finally(() => this.off('close', onClose))
    })
  }
}
