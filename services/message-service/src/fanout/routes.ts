import type { UserId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'

/** Which gateway processes hold sockets of these users; what is not known for certain counts as there. */
export interface Routes {
  nodesOf(users: Iterable<UserId>): Promise<Map<UserId, ReadonlySet<string>>>
  /**
   * Who of these users has a connection.
   *
   * @throws AppError UNAVAILABLE when that is not certain
   */
  online(users: readonly UserId[]): Promise<Set<UserId>>
  /** The very set that `nodesOf` would find, when that is certain. */
  cached(user: UserId): ReadonlySet<string> | undefined
  bound(node: string, users: Iterable<UserId>): void
  unbound(node: string, users: Iterable<UserId>): void
  dropAll(): void
}

/** Everybody may be anywhere: what fan-out falls back on while nothing is known. */
export function everywhere(liveNodes: () => Iterable<string>): Routes {
  return {
    async nodesOf(users) {
      const all = new Set(liveNodes())
      return new Map([...users].map((user) => [user, all] as const))
    },
    async online() {
      throw new AppError('UNAVAILABLE', { details: { problem: 'presence is not there yet' } })
    },
    cached: () => undefined,
    bound() {},
    unbound() {},
    dropAll() {},
  }
}

/** Routes that are everywhere until the real ones are there: a system whose Redis is away starts and sends all the same. */
export class LateRoutes implements Routes {
  #routes: Routes
  #changed: (users: Iterable<UserId> | undefined) => void = () => {}

  constructor(liveNodes: () => Iterable<string>) {
    this.#routes = everywhere(liveNodes)
  }

  use(routes: Routes): void {
    this.#routes = routes
    this.#changed(undefined)
  }

  onChanged(callback: (users: Iterable<UserId> | undefined) => void): void {
    this.#changed = callback
  }

  nodesOf(users: Iterable<UserId>): Promise<Map<UserId, ReadonlySet<string>>> {
    return this.#routes.nodesOf(users)
  }

  online(users: readonly UserId[]): Promise<Set<UserId>> {
    return this.#routes.online(users)
  }

  cached(user: UserId): ReadonlySet<string> | undefined {
    return this.#routes.cached(user)
  }

  bound(node: string, users: Iterable<UserId>): void {
    this.#routes.bound(node, users)
    this.#changed(users)
  }

  unbound(node: string, users: Iterable<UserId>): void {
    this.#routes.unbound(node, users)
    this.#changed(users)
  }

  dropAll(): void {
    this.#routes.dropAll()
    this.#changed(undefined)
  }
}
