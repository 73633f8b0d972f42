import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../../eventually.ts'
import { makeToken } from '../../tokens.ts'
import type { History } from '../history.ts'
import type { Target } from '../target.ts'
import { LoadClient } from './load-client.ts'
import type { Watcher } from './watcher.ts'

const CONNECTING_AT_ONCE = 100
const CONNECT_WITHIN_MS = 60_000
const TOKEN_SECONDS = 24 * 3600
const LOOK_EVERY_MS = 1_000

export interface FleetOptions {
  target: Pick<Target, 'urls' | 'authSecret'>
  history: History
  watcher: Watcher
  /** A connection that leaves one ping without answer until the next is dropped; 0: nobody looks. */
  pingEveryMs: number
  /** Clients say what they have read, one in four of them not all of it. */
  reads?: boolean
  progress(line: string): void
}

/** All clients of a run, in this process. */
export class Fleet {
  readonly clients: LoadClient[] = []
  readonly #options: FleetOptions
  readonly #firstId = randomInt(1_000_000, 2 ** 45)
  #pinging: ReturnType<typeof setInterval> | undefined

  constructor(options: FleetOptions) {
    this.#options = options
    const { pingEveryMs } = options
    if (pingEveryMs > 0) this.#pinging = setInterval(() => this.#ping(), pingEveryMs)
  }

  get history(): History {
    return this.#options.history
  }

  /** Ids of users nobody has been before, one behind the other. */
  newIds(count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.#firstId + this.clients.length + i)
  }

  /** Connects so many new users, spread over the gateways, a hundred at a time; resolves when all are bound. */
  async connect(count: number, { sync = false } = {}): Promise<LoadClient[]> {
    const { target, history, watcher, reads, progress } = this.#options
    const added: LoadClient[] = []
    let toldAt = performance.now()
    for (const userId of this.newIds(count)) {
      const accessToken = await makeToken(target.authSecret, { sub: String(userId) }, TOKEN_SECONDS)
      const gateway = this.clients.length
      const thorough = gateway % 4 === 3 ? 'some' : 'all'
      const options = { userId, accessToken, sync, urls: target.urls, gateway, history, watcher }
      const client = new LoadClient({ ...options, reads: reads ? thorough : undefined })
      added.push(client)
      this.clients.push(client)
      if (added.length % CONNECTING_AT_ONCE === 0) await bound(added.slice(-CONNECTING_AT_ONCE))
      if (performance.now() - toldAt < LOOK_EVERY_MS) continue
      toldAt = performance.now()
      progress(`${added.length} of ${count} connected`)
    }
    await bound(added)
    return added
  }

  /** Sends that have no final answer yet. */
  get outstanding(): number {
    return this.clients.reduce((sum, { outstanding }) => sum + outstanding, 0)
  }

  /** @throws when the system has closed one of them for good: no load has a reason for that */
  get away(): LoadClient[] {
    const ended = this.clients.find((client) => client.ended !== undefined)
    if (ended) throw new Error(`client ${ended.userId} was closed for good: ${ended.ended}`)
    return this.clients.filter(({ bound }) => !bound)
  }

  close(): void {
    clearInterval(this.#pinging)
    for (const client of this.clients) client.close()
  }

  #ping(): void {
    for (const client of this.clients) client.ping()
  }
}

async function bound(clients: readonly LoadClient[]): Promise<void> {
  await eventually(
    () => clients.every(({ bound, ended }) => bound || ended !== undefined),
    'all clients are connected',
    CONNECT_WITHIN_MS,
  )
  await delay(0)
}
