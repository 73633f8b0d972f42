import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Stands in front of a server and can be away: connections are refused and the open ones break. */
export class TcpProxy {
  readonly #host: string
  readonly #target: number
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  port = 0

  constructor(target: { host: string; port: number }) {
    this.#host = target.host
    this.#target = target.port
  }

  /** The first time on a free port, then on the same one. */
  async open(): Promise<void> {
    const server = createServer((near) => {
      const far = connect(this.#target, this.#host)
      near.pipe(far).pipe(near)
      for (const socket of [near, far]) {
        this.#sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => {
          this.#sockets.delete(socket)
          near.destroy()
          far.destroy()
        })
      }
    })
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve))
    this.port = (server.address() as AddressInfo).port
    this.#server = server
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    const server = this.#server
    this.#server = undefined
    if (server) await new Promise((resolve) => server.close(resolve))
  }
}
