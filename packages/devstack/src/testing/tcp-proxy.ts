import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { type Impairment, ProxiedFlow } from './proxied-flow.ts'

/** Upstream is from the client to the server. */
export type Direction = 'upstream' | 'downstream' | 'both'

/**
 * What is wrong with the network:
 * - `cut`: connections end and new ones are refused. In one direction only the far end of that direction hears of the end; the
 *   other side keeps a connection that is dead, until it is mended.
 * - `blackhole`: accepted, and nothing arrives, not even that a connection ended; it arrives late when it is mended.
 * - `delay`: everything arrives later, in order.
 * - `slice`: everything arrives in small pieces with pauses between them.
 */
export type NetFault = { direction?: Direction } & ({ kind: 'cut' } | Impairment)

export interface TcpProxyOptions {
  /** For jitter and sizes, 0 to 1; give a seeded one for a run that can be repeated. */
  random?: () => number
}

export interface TcpProxy {
  /** The server's own URL, credentials included, but for host and port. */
  url: string
  /** Connections that clients hold now. */
  readonly connections: number
  /** From here on the network is so, for connections that there are and for new ones. Replaces what was wrong before. */
  impair(fault: NetFault): void
  /** Ends all connections and refuses new ones, until `mend`. */
  cut(): void
  /** Everything held back goes its way. */
  mend(): void
  stop(): Promise<void>
}

/** Stands between a process and a server, and fails as networks do. */
export async function startTcpProxy(serverUrl: string, options: TcpProxyOptions = {}): Promise<TcpProxy> {
  const target = new URL(serverUrl)
  const links = new Set<Link>()
  let fault: NetFault | undefined
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    if (fault?.kind === 'cut') return near.destroy()
    const link = new Link(near, target, options.random ?? Math.random)
    links.add(link)
    void link.over.then(() => links.delete(link))
    link.impair(fault)
  })
  await listen(server)
  const impair = (next: NetFault | undefined) => {
    fault = next
    for (const link of links) link.impair(next)
  }
  return {
    url: through(target, (server.address() as AddressInfo).port),
    get connections() {
      return [...links].filter((link) => link.held).length
    },
    impair,
    cut: () => impair({ kind: 'cut' }),
    mend: () => impair(undefined),
    stop: () =>
      new Promise((resolve) => {
        impair({ kind: 'cut' })
        server.close(() => resolve())
      }),
  }
}

/** One client's connection and ours to the server for it. */
class Link {
  readonly #near: Socket
  readonly #far: Socket
  readonly #upstream: ProxiedFlow
  readonly #downstream: ProxiedFlow
  /** Both connections are gone. */
  readonly over: Promise<unknown>
  /** One side has been told of an end that the other has not. */
  #halfDead = false

  constructor(near: Socket, target: URL, random: () => number) {
    this.#near = near
    this.#far = connect({ port: Number(target.port), host: target.hostname, allowHalfOpen: true, noDelay: true })
    this.#upstream = new ProxiedFlow(near, this.#far, random)
    this.#downstream = new ProxiedFlow(this.#far, near, random)
    this.over = Promise.all([near, this.#far].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
  }

  /** The client has its connection still. */
  get held(): boolean {
    return !this.#near.destroyed
  }

  impair(fault: NetFault | undefined): void {
    const { direction = 'both' } = fault ?? {}
    if (fault?.kind !== 'cut' && !this.#halfDead) {
      this.#upstream.impair(direction === 'downstream' ? undefined : fault)
      this.#downstream.impair(direction === 'upstream' ? undefined : fault)
      return
    }
    const oneSided = fault?.kind === 'cut' && direction !== 'both' && !this.#halfDead
    for (const flow of [this.#upstream, this.#downstream]) flow.abandon()
    if (!oneSided || direction === 'upstream') this.#far.destroy()
    if (!oneSided || direction === 'downstream') this.#near.destroy()
    this.#halfDead = oneSided
  }
}

async function listen(server: Server): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
}

/** A replica set tells its members' own addresses, and the driver would go there past the proxy. */
function through(target: URL, port: number): string {
  const url = new URL(target.href)
  // Not `host =`: a default port would be left out.
  const credentials = url.username === '' ? '' : `${url.username}:${url.password}@`
  if (url.protocol === 'mongodb:') {
    url.searchParams.delete('replicaSet')
    url.searchParams.set('directConnection', 'true')
    return `mongodb://${credentials}127.0.0.1:${port}/${url.pathname.slice(1)}${url.search}`
  }
  const rest = url.pathname === '/' ? url.search : `${url.pathname}${url.search}`
  return `${url.protocol}//${credentials}127.0.0.1:${port}${rest}`
}
