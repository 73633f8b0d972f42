import { once } from 'node:events'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { freePort } from '@qunxin/devstack'
import type { Test } from 'tap'

export interface Gate {
  /** The server's URL, by way of the gate. */
  url: string
  /** From here on the server can be reached; before, connections are refused. */
  open(): Promise<void>
}

/** Stands before a server that is up, so that a test decides when it seems to be. */
export async function gate(t: Test, serverUrl: string): Promise<Gate> {
  const target = new URL(serverUrl)
  const port = await freePort()
  const url = serverUrl.replace(target.host, `127.0.0.1:${port}`)
  let server: Server | undefined
  const sockets = new Set<Socket>()
  t.teardown(() => {
    server?.close()
    for (const socket of sockets) socket.destroy()
  })
  return {
    url,
    async open() {
      server = createServer((socket) => {
        const upstream = dial(Number(target.port), target.hostname)
        for (const one of [socket, upstream]) {
          sockets.add(one)
          one.on('error', () => {})
          one.on('close', () => {
            socket.destroy()
            upstream.destroy()
          })
        }
        socket.pipe(upstream).pipe(socket)
      })
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
  }
}
