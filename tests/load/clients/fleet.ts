import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { History } from '../history.ts'
import type { Target } from '../target.ts'
import { Wire } from '../wire/wire.ts'
import { inTurn } from './in-turn.ts'
import { LoadClient } from './load-client.ts'
import type { RunClient, RunClientOptions } from './run-client.ts'
import { signToken } from './token.ts'
import type { Watcher } from './watcher.ts'
import { WireClient } from './wire-client.ts'

const AT_ONCE = 100
const CONNECT_WITHIN_MS = 120_000
const TOKEN_SECONDS = 24 * 3600
const TELL_EVERY_MS = 1_000

export interface FleetOptions {
  target: Pick<Target, 'urls' | 'authSecret'>
  history: History
  watcher: Watcher
  /** A connection that leaves one ping without answer until the next is dropped; 0: nobody looks. */
  pingEveryMs: number
  /** Clients are the SDK: needed for `reads`, and to bind with `sync`. */
  sdk: boolean
  /** Clients say what they have read, one in four of them not all of it. */
  reads?: boolean
  progress(line: string): void
}

/** A user who may connect. */
export type User = Pick<RunClientOptions, 'userId' | 'accessToken'>

export interface BindOptions {
  sync?: boolean
  /** How many are on their way to be bound at a time. */
  atOnce?: number
}

/** All clients of a run, in this process. */
export class Fleet {
  readonly clients: RunClient[] = []
  readonly #options: FleetOptions
  readonly #firstId = randomInt(1_000_000, 2 ** 45)
  readonly #wire = new Wire()
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

  /** Connects so many new users; resolves when all are bound. */
  async connect(count: number, options: BindOptions = {}): Promise<RunClient[]> {
    return await this.bind(this.newUsers(count), options)
  }

  /** With a token each: who times how long connecting takes makes them before. */
  newUsers(count: number): User[] {
    const { authSecret } = this.#options.target
    return this.newIds(count).map((userId) => {
      return { userId, accessToken: signToken(authSecret, String(userId), TOKEN_SECONDS) }
    })
  }

  /** Connects those users, spread over the gateways, so many at once; resolves when all are bound. */
  async bind(users: readonly User[], { sync = false, atOnce = AT_ONCE }: BindOptions = {}): Promise<RunClient[]> {
    const added: RunClient[] = []
    let toldAt = performance.now()
    const binding = inTurn(users, atOnce, async (user) => {
      const client = this.#add(user, sync)
      added.push(client)
      await client.ready
      if (performance.now() - toldAt < TELL_EVERY_MS) return
      toldAt = performance.now()
      this.#options.progress(`${added.length} of ${users.length} connected`)
    })
    await allBound(binding)
    return added
  }

  /** Sends that have no final answer yet. */
  get outstanding(): number {
    return this.clients.reduce((sum, { outstanding }) => sum + outstanding, 0)
  }

  /** Somebody is still about to say what it has read. */
  get reading(): boolean {
    return this.clients.some(({ reading }) => reading)
  }

  /** @throws when the system has closed one of them for good, or sent it what is no frame: no load has a reason for that */
  noneEnded(): void {
    const ended = this.clients.find((client) => client.ended !== undefined)
    if (ended) throw new Error(`client ${ended.userId} was closed for good: ${ended.ended}`)
  }

  /** @throws as `noneEnded` */
  get away(): RunClient[] {
    this.noneEnded()
    return this.clients.filter(({ bound }) => !bound)
  }

  close(): void {
    clearInterval(this.#pinging)
    for (const client of this.clients) client.close()
  }

  #add(user: User, sync: boolean): RunClient {
    const { target, history, watcher, sdk, reads } = this.#options
    const gateway = this.clients.length
    const thorough = gateway % 4 === 3 ? 'some' : 'all'
    const options = { ...user, urls: target.urls, gateway, history, watcher }
    const client = sdk
      ? new LoadClient({ ...options, sync, reads: reads ? thorough : undefined })
      : new WireClient(options, this.#wire)
    this.clients.push(client)
    return client
  }

  #ping(): void {
    for (const client of this.clients) client.ping()
  }
}

/** @throws when they are not all bound in time */
async function allBound(binding: Promise<unknown>): Promise<void> {
  const late = Symbol()
  const first = await Promise.race([binding, delay(CONNECT_WITHIN_MS, late, { ref: false })])
  if (first === late) throw new Error('it did not come about that all clients are connected')
}
