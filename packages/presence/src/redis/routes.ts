import type { UserId } from '@qunxin/contracts'
import { AppError, type Logger, withinTime } from '@qunxin/runtime'
import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { NodeSets } from '../node-sets.ts'
import { Notices } from '../notices.ts'
import type { Routes } from '../ports.ts'
import { createKeys, type Keys } from './keys.ts'
import { readSlice } from './read-slice.ts'
import { scripts } from './scripts.ts'

const USERS_PER_SLICE = 500
/** After a failure nobody waits for Redis for so long, and the log gets one line for it. */
const LEFT_ALONE_MS = 1_000

export interface RoutesOptions {
  redis: Redis
  logger: Logger
  /** The gateway processes that have announced themselves lately; asked at each load. */
  liveNodes(): Iterable<string>
  prefix?: string
  /** Users whose route is remembered, those asked for lately. */
  cacheUsers?: number
  /** How long a load may take before every live gateway is taken instead. */
  loadTimeoutMs?: number
}

export function createRoutes(options: RoutesOptions): Routes {
  return new RedisRoutes(options)
}

class RedisRoutes implements Routes {
  readonly #redis: Redis
  readonly #logger: Logger
  readonly #keys: Keys
  readonly #liveNodes: () => Iterable<string>
  readonly #loadTimeoutMs: number
  readonly #cache: LRUCache<UserId, ReadonlySet<string>>
  readonly #loading = new Map<UserId, Promise<Map<UserId, ReadonlySet<string>>>>()
  readonly #sets = new NodeSets()
  #notices = new Notices()
  #generation = 0
  #leftAloneUntil = 0

  constructor(options: RoutesOptions) {
    this.#redis = options.redis
    this.#logger = options.logger
    this.#keys = createKeys(options.prefix)
    this.#liveNodes = options.liveNodes
    this.#loadTimeoutMs = options.loadTimeoutMs ?? 1_000
    this.#cache = new LRUCache({ max: options.cacheUsers ?? 200_000 })
  }

  cached(user: UserId): ReadonlySet<string> | undefined {
    return this.#cache.get(user)
  }

  async nodesOf(users: Iterable<UserId>): Promise<Map<UserId, ReadonlySet<string>>> {
    const routes = new Map<UserId, ReadonlySet<string>>()
    const unknown: UserId[] = []
    for (const user of users) {
      const known = this.#cache.get(user)
      if (known) routes.set(user, known)
      else unknown.push(user)
    }
    if (unknown.length === 0) return routes
    const missing = unknown.filter((user) => !this.#loading.has(user))
    for (let at = 0; at < missing.length; at += USERS_PER_SLICE) this.#load(missing.slice(at, at + USERS_PER_SLICE))
    const loads = new Map(unknown.map((user) => [user, this.#loading.get(user)]))
    await Promise.all(new Set(loads.values()))
    for (const [user, load] of loads) routes.set(user, (await load)?.get(user) ?? this.#sets.none)
    return routes
  }

  async online(users: readonly UserId[]): Promise<Set<UserId>> {
    const slices: (readonly UserId[])[] = []
    for (let at = 0; at < users.length; at += USERS_PER_SLICE) slices.push(users.slice(at, at + USERS_PER_SLICE))
    const found = await Promise.all(slices.map((slice) => this.#onlineOf(slice)))
    return new Set(found.flat())
  }

  bound(node: string, users: Iterable<UserId>): void {
    for (const user of users) {
      this.#notices.bound(node, user)
      const known = this.#cache.peek(user)
      if (known) this.#cache.set(user, this.#sets.with(known, node))
    }
  }

  unbound(node: string, users: Iterable<UserId>): void {
    for (const user of users) {
      this.#notices.unbound(node, user)
      const known = this.#cache.peek(user)
      if (known) this.#cache.set(user, this.#sets.without(known, node))
    }
  }

  dropAll(): void {
    this.#generation += 1
    this.#cache.clear()
    this.#loading.clear()
    this.#notices = new Notices()
  }

  #load(users: readonly UserId[]): void {
    const generation = this.#generation
    const load = this.#read(users).finally(() => {
      if (generation === this.#generation) for (const user of users) this.#loading.delete(user)
    })
    for (const user of users) this.#loading.set(user, load)
  }

  async #read(users: readonly UserId[]): Promise<Map<UserId, ReadonlySet<string>>> {
    const generation = this.#generation
    const notices = this.#notices
    const since = notices.now()
    const live = [...this.#liveNodes()]
    const slice = await this.#answered(() => readSlice(this.#redis, this.#keys, { users, live }))
    // Notices may have been missed since the reading began, so it proves nothing.
    if (generation !== this.#generation) return this.#read(users)
    const routes = new Map<UserId, ReadonlySet<string>>()
    for (const [i, user] of users.entries()) {
      if (slice === undefined) {
        routes.set(user, this.#sets.of(notices.merge(user, live, since)))
        continue
      }
      const stored = slice.nodes[i] ?? []
      const nodes = notices.merge(
        user,
        stored.filter((node) => !slice.dead.has(node)),
        since,
      )
      const route = this.#sets.of([...nodes, ...slice.uncertain])
      // What may be missing can come without a notice, so it is asked for again next time.
      if (slice.uncertain.length === 0) this.#cache.set(user, route)
      routes.set(user, route)
      this.#sweep(user, stored, slice.dead)
    }
    return routes
  }

  async #onlineOf(users: readonly UserId[]): Promise<UserId[]> {
    const notices = this.#notices
    const since = notices.now()
    const live = [...this.#liveNodes()]
    const slice = await this.#answered(() => readSlice(this.#redis, this.#keys, { users, live }))
    if (!slice) throw new AppError('UNAVAILABLE', { details: { problem: 'presence cannot be read' } })
    const online = users.filter((user, i) => {
      const stored = (slice.nodes[i] ?? []).filter((node) => !slice.dead.has(node))
      // A gateway that could not write yet has told us; one that is gone since is not believed.
      return notices.merge(user, stored, since).some((node) => stored.includes(node) || live.includes(node))
    })
    if (online.length < users.length && slice.uncertain.length > 0)
      throw new AppError('UNAVAILABLE', { details: { problem: 'presence is being written' } })
    return online
  }

  /** Undefined when Redis is not there, has just failed, or does not answer in time. */
  async #answered<T>(read: () => Promise<T>): Promise<T | undefined> {
    if (performance.now() < this.#leftAloneUntil) return undefined
    try {
      if (this.#redis.status !== 'ready') throw new Error(`the connection is ${this.#redis.status}`)
      return await withinTime(this.#loadTimeoutMs, read())
    } catch (error) {
      this.#logger.warn({ err: error }, 'routes cannot be read from Redis, every gateway gets everything meanwhile')
      this.#leftAloneUntil = performance.now() + LEFT_ALONE_MS
      return undefined
    }
  }

  /** Entries of dead processes are removed by whoever reads them; theirs alone, so a newer session stays. */
  #sweep(user: UserId, nodes: readonly string[], dead: ReadonlySet<string>): void {
    if (dead.size === 0) return
    for (const node of nodes)
      if (dead.has(node)) scripts.sweep(this.#redis, this.#keys.user(user), node).catch(() => {})
  }
}
