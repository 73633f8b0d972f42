import type { UserId } from '@qunxin/contracts'
import { LRUCache } from 'lru-cache'

/** Longer than any load takes, and than a gateway needs to write what it could not write while Redis was away. */
const REMEMBERED_MS = 30_000
const REMEMBERED_USERS = 100_000

interface Notice {
  node: string
  here: boolean
  at: number
}

/**
 * What gateways have said lately about who came and went. A load merges it into what it read: the read may be older than the
 * notice, and a gateway that could not reach Redis has told only us.
 */
export class Notices {
  readonly #byUser = new LRUCache<UserId, Notice[]>({ max: REMEMBERED_USERS, ttl: REMEMBERED_MS })
  #clock = 0

  /** A point between notices, for `merge`. */
  now(): number {
    return this.#clock
  }

  bound(node: string, user: UserId): void {
    this.#put(user, { node, here: true, at: ++this.#clock })
  }

  unbound(node: string, user: UserId): void {
    this.#put(user, { node, here: false, at: ++this.#clock })
  }

  /** Who came counts in any case; who went only when it was said after `since`, the begin of the reading. */
  merge(user: UserId, nodes: readonly string[], since: number): string[] {
    const notices = this.#byUser.get(user)
    if (!notices) return [...nodes]
    const merged = new Set(nodes)
    for (const { node, here, at } of notices) {
      if (here) merged.add(node)
      else if (at > since) merged.delete(node)
    }
    return [...merged]
  }

  #put(user: UserId, notice: Notice): void {
    const others = (this.#byUser.peek(user) ?? []).filter(({ node }) => node !== notice.node)
    this.#byUser.set(user, [...others, notice])
  }
}
