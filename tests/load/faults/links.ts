import type { SystemOptions } from '@qunxin/devstack'
import { type NetFault, startTcpProxy, type TcpProxy } from '@qunxin/devstack/tcp-proxy'
import { drawFrom } from './draw.ts'
import type { Fault, Link } from './spec.ts'

interface Proxied {
  link: Link
  /** `message-service-1 to MONGO_URL` */
  name: string
  proxy: TcpProxy
}

const SERVERS_OF_LINKS = { nats: 'NATS_URL', mongo: 'MONGO_URL', redis: 'REDIS_URL' } as const

/** The proxies of one system, before every process of the links that its faults name; without such faults none. */
export class Links {
  readonly #links: ReadonlySet<Link>
  readonly #seed: number
  readonly #proxied: Proxied[] = []

  constructor(faults: readonly Fault[], seed: number) {
    this.#links = new Set(faults.flatMap((fault) => (fault.kind === 'net' ? fault.links : [])))
    this.#seed = seed
  }

  /** For `startSystem`: puts a proxy between a service and each server it is to be impaired from. */
  readonly serviceEnvOf: NonNullable<SystemOptions['serviceEnvOf']> = async ({ kind, name }, planned) => {
    const own: Record<string, string> = {}
    for (const [server, variable] of Object.entries(SERVERS_OF_LINKS)) {
      const link = `${kind}-${server}` as Link
      const url = planned[variable]
      if (this.#links.has(link) && url !== undefined)
        own[variable] = await this.#through(link, `${name} to ${server}`, url)
    }
    return own
  }

  /** Where clients connect to instead of the gateway itself. */
  async clientUrl(gateway: { name: string; url: string }): Promise<string> {
    if (!this.#links.has('client-gateway')) return gateway.url
    return this.#through('client-gateway', `clients to ${gateway.name}`, gateway.url)
  }

  /** The connections of that link, by what they are called. */
  of(link: Link): { name: string; impair(fault: NetFault): void; mend(): void }[] {
    return this.#proxied
      .filter((one) => one.link === link)
      .map(({ name, proxy }) => ({ name, impair: proxy.impair, mend: proxy.mend }))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#proxied.splice(0).map(({ proxy }) => proxy.stop()))
  }

  async #through(link: Link, name: string, url: string): Promise<string> {
    const proxy = await startTcpProxy(url, { random: drawFrom(this.#seed, 1_000 + this.#proxied.length).next })
    this.#proxied.push({ link, name, proxy })
    return proxy.url
  }
}
