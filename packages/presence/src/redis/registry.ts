import { randomBytes } from 'node:crypto'
import type { UserId } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import type { Redis } from 'ioredis'
import type { Added, Connection, Registry } from '../ports.ts'
import { Gathered } from './gathered.ts'
import { createKeys, type Keys } from './keys.ts'
import { type Entries, scripts } from './scripts.ts'

const WRITES_AT_ONCE = 500
const NOTHING: Added = { connections: [], excess: [] }
const NONE: Entries = []

/** Connections of a user that are to be written, or one that is to be removed. */
type Change =
  | { user: UserId; came: readonly string[]; went?: undefined }
  | { user: UserId; went: string; came?: undefined }

export interface RegistryOptions {
  redis: Redis
  /** From `newNodeId`: unique to this process. */
  node: string
  logger: Logger
  prefix?: string
  /** Connections a user may have over all gateways; what is above it comes back from `add`. */
  connectionsPerUser?: number
  /** How often the node says that it lives and looks at the epoch. Its key lapses after three of these. */
  heartbeatMs?: number
  /** Every user's hash is written again within this time; it lapses after four of these. */
  renewMs?: number
}

/** Starts at once. Nothing here waits for Redis longer than its command timeout, and nothing is lost when it is away. */
export function createRegistry(options: RegistryOptions): Registry {
  return new RedisRegistry(options)
}

class RedisRegistry implements Registry {
  readonly node: string
  readonly #redis: Redis
  readonly #logger: Logger
  readonly #keys: Keys
  readonly #limit: number
  readonly #nodeTtlMs: number
  readonly #userTtlSeconds: number
  readonly #ticksPerRenewal: number
  readonly #timers: NodeJS.Timeout[]
  readonly #conns = new Map<UserId, readonly string[]>()
  /** One command for many users: one for each is dearer than all else that is done for it here. */
  readonly #changes = new Gathered((changes: Change[]) => this.#writeAll(changes), WRITES_AT_ONCE)
  /** What Redis was not told because it was away. */
  readonly #unwritten = new Set<UserId>()
  readonly #unremoved = new Map<string, UserId>()
  /** The epoch under which all sockets are written; undefined when some may be missing. */
  #writtenUnder: string | undefined
  #renewing: Iterator<UserId> = [][Symbol.iterator]()
  #beating: Promise<void> | undefined
  #stopped = false

  constructor(options: RegistryOptions) {
    const { heartbeatMs = 5_000, renewMs = 60_000 } = options
    this.node = options.node
    this.#redis = options.redis
    this.#logger = options.logger
    this.#keys = createKeys(options.prefix)
    this.#limit = options.connectionsPerUser ?? 10
    this.#nodeTtlMs = 3 * heartbeatMs
    this.#userTtlSeconds = Math.ceil((4 * renewMs) / 1_000)
    const tickMs = Math.max(20, Math.min(1_000, renewMs / 4))
    this.#ticksPerRenewal = Math.max(1, Math.floor(renewMs / tickMs))
    this.#timers = [
      setInterval(() => void this.#beat(), heartbeatMs).unref(),
      setInterval(() => void this.#renewSome(), tickMs).unref(),
    ]
    this.#redis.on('ready', this.#onReconnect)
    void this.#beat()
  }

  async add(user: UserId, conn: string): Promise<Added> {
    this.#conns.set(user, [...(this.#conns.get(user) ?? []), conn])
    try {
      const entries = await this.#changes.do({ user, came: [conn] })
      return entries.length === 0 ? NOTHING : await this.#overLimit(user, entries)
    } catch (error) {
      this.#unwritten.add(user)
      this.#logger.debug({ err: error }, 'presence was not written, it will be when Redis is back')
      return NOTHING
    }
  }

  async remove(user: UserId, conn: string): Promise<void> {
    const conns = this.#conns.get(user)
    if (!conns?.includes(conn)) return
    const left = conns.filter((other) => other !== conn)
    if (left.length === 0) this.#conns.delete(user)
    else this.#conns.set(user, left)
    try {
      await this.#changes.do({ user, went: conn })
    } catch (error) {
      this.#unremoved.set(conn, user)
      this.#logger.debug({ err: error }, 'presence was not removed, it will be when Redis is back')
    }
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    for (const timer of this.#timers) clearInterval(timer)
    this.#redis.off('ready', this.#onReconnect)
    await this.#beating
    const users = [...this.#conns.keys(), ...this.#unremoved.values()]
    this.#conns.clear()
    try {
      await inSlices(users, (user) => scripts.sweep(this.#redis, this.#keys.user(user), this.node))
      await this.#redis.del(this.#keys.node(this.node))
    } catch (error) {
      this.#logger.warn({ err: error }, 'presence was not cleared; it lapses by itself')
    }
  }

  /** A Redis that comes back may have come back empty, or as it was some time ago. */
  readonly #onReconnect = () => {
    this.#writtenUnder = undefined
    void this.#beat()
  }

  #beat(): Promise<void> {
    this.#beating ??= this.#beatOnce()
      .catch((error: unknown) => this.#logger.debug({ err: error }, 'presence heartbeat failed'))
      .finally(() => {
        this.#beating = undefined
      })
    return this.#beating
  }

  /** The node key is set last: with it the node vouches that all its sockets are written under that epoch. */
  async #beatOnce(): Promise<void> {
    const candidate = randomBytes(8).toString('hex')
    const [earlier, vouchedFor] = await Promise.all([
      this.#redis.set(this.#keys.epoch, candidate, 'NX', 'GET'),
      this.#redis.get(this.#keys.node(this.node)),
    ])
    const epoch = earlier ?? candidate
    // While the node key was gone, readers may have taken our entries for those of a dead process and removed them.
    if (vouchedFor !== this.#writtenUnder) this.#writtenUnder = undefined
    await inSlices([...this.#unremoved], async ([conn, user]) => {
      await this.#changes.do({ user, went: conn })
      this.#unremoved.delete(conn)
    })
    const missing = epoch === this.#writtenUnder ? [...this.#unwritten] : [...this.#conns.keys()]
    if (epoch !== this.#writtenUnder && missing.length > 0)
      this.#logger.info({ users: missing.length }, 'writing presence again')
    await inSlices(missing, (user) => this.#renew(user))
    if (this.#stopped) return
    await this.#redis.set(this.#keys.node(this.node), epoch, 'PX', this.#nodeTtlMs)
    this.#writtenUnder = epoch
  }

  /** A share of the users per tick, round and round, so that renewing is never a burst. */
  async #renewSome(): Promise<void> {
    if (this.#redis.status !== 'ready') return
    const share: UserId[] = []
    const size = Math.ceil(this.#conns.size / this.#ticksPerRenewal)
    while (share.length < size) {
      const next = this.#renewing.next()
      if (!next.done) share.push(next.value)
      else if (this.#conns.size > 0 && share.length === 0) this.#renewing = this.#conns.keys()
      else break
    }
    await inSlices(share, (user) => this.#renew(user)).catch(() => {})
  }

  /** Writes the entries again rather than renewing the key alone, so that whatever took them away is healed. */
  async #renew(user: UserId): Promise<void> {
    const conns = this.#conns.get(user)
    if (conns) await this.#changes.do({ user, came: conns })
    this.#unwritten.delete(user)
  }

  /** Answers the entries of users who came and are above the limit. Who came and went in one turn has gone: removals are last. */
  async #writeAll(changes: readonly Change[]): Promise<Entries[]> {
    const came = changes.flatMap(({ user, came }) => (came ? [{ key: this.#keys.user(user), conns: came }] : []))
    const went = changes.flatMap(({ user, went }) => (went ? [{ key: this.#keys.user(user), conn: went }] : []))
    const how = { node: this.node, ttlSeconds: this.#userTtlSeconds, limit: this.#limit }
    const [over] = await Promise.all([
      came.length > 0 ? scripts.write(this.#redis, came, how) : [],
      went.length > 0 && scripts.remove(this.#redis, went, this.node),
    ])
    let next = 0
    return changes.map(({ came }) => (came ? over[next++] : undefined) ?? NONE)
  }

  /**
   * Entries of processes that are dead count for nothing: they are removed here, as nobody else will. Nor do our own of connections
   * that have gone: what removes them is on its way behind the writes.
   */
  async #overLimit(user: UserId, entries: Entries): Promise<Added> {
    const nodes = [...new Set(entries.map(([, node]) => node))]
    const alive = await Promise.all(
      nodes.map(async (node) => node === this.node || (await this.#redis.exists(this.#keys.node(node))) === 1),
    )
    const dead = nodes.filter((_, i) => !alive[i])
    await Promise.all(dead.map((node) => scripts.sweep(this.#redis, this.#keys.user(user), node)))
    const here = this.#conns.get(user) ?? []
    const connections: Connection[] = entries
      .filter(([conn, node]) => (node === this.node ? here.includes(conn) : !dead.includes(node)))
      .map(([conn, node]) => ({ conn, node }))
      .sort((one, other) => (one.conn < other.conn ? -1 : 1))
    const excess = connections.slice(0, Math.max(0, connections.length - this.#limit))
    return excess.length === 0 ? NOTHING : { connections, excess }
  }
}

async function inSlices<T>(items: readonly T[], run: (item: T) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < items.length; at += WRITES_AT_ONCE)
    await Promise.all(items.slice(at, at + WRITES_AT_ONCE).map(run))
}
