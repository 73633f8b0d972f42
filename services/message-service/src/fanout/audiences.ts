import type { GroupId, UserId } from '@qunxin/contracts'
import { LRUCache } from 'lru-cache'
import { type Audience, audienceOf } from './audience.ts'
import type { Routes } from './routes.ts'

/** Each is looked through whenever somebody comes or goes. */
const MOST_GROUPS = 64
/** Smaller ones are put together as quickly as they are found here. */
const KEPT_FROM = 20

export interface ObservedRoutes extends Pick<Routes, 'nodesOf' | 'cached'> {
  /** Calls back when what is cached of these users changes, or of anybody. */
  onChanged(callback: (users: Iterable<UserId> | undefined) => void): void
}

/** Where the members of groups are: kept for the busiest until one of them comes or goes, or is no member any more. */
export class Audiences {
  readonly #routes: ObservedRoutes
  readonly #kept = new LRUCache<GroupId, Audience>({ max: MOST_GROUPS })
  #changes = 0

  constructor(routes: ObservedRoutes) {
    this.#routes = routes
    routes.onChanged((users) => this.#changed(users))
  }

  /** `users` are its members, the same set as long as they are the same. */
  async of(group: GroupId, users: ReadonlySet<UserId>): Promise<Audience> {
    const kept = this.#kept.get(group)
    if (kept?.users === users) return kept
    const changes = this.#changes
    const routes = await this.#routes.nodesOf(users)
    const audience = audienceOf(users, routes)
    if (changes === this.#changes && users.size >= KEPT_FROM && this.#areCached(routes)) this.#kept.set(group, audience)
    return audience
  }

  /** What was found and is not cached was not certain: they may come without a word, or be found where they are not. */
  #areCached(routes: Awaited<ReturnType<Routes['nodesOf']>>): boolean {
    for (const [user, nodes] of routes) if (this.#routes.cached(user) !== nodes) return false
    return true
  }

  #changed(users: Iterable<UserId> | undefined): void {
    this.#changes += 1
    if (users === undefined) this.#kept.clear()
    for (const user of users ?? [])
      for (const [group, audience] of this.#kept.entries()) if (audience.users.has(user)) this.#kept.delete(group)
  }
}
