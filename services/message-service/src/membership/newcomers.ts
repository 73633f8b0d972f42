import type { GroupId, UserId } from '@qunxin/contracts'
import { LRUCache } from 'lru-cache'
import type { MembershipCache } from './cache.ts'

/** Groups somebody has joined of late. */
const MOST_GROUPS = 10_000
/** By then group-service tells where they joined, and nothing of before is fanned out any more. */
const REMEMBERED_MS = 120_000

const NOBODY: ReadonlySet<UserId> = new Set()
const NOWHERE: ReadonlyMap<UserId, number> = new Map()

/**
 * For whom a message of a group is not, as they came later: what was being stored when they did, and what is sent round again,
 * goes out by the members of a later moment.
 */
export class Newcomers {
  readonly #membership: Pick<MembershipCache, 'last'>
  readonly #groups = new LRUCache<GroupId, Map<UserId, { seq: number; since: number }>>({
    max: MOST_GROUPS,
    ttl: REMEMBERED_MS,
  })
  /** The furthest of each set of places, which is never changed. */
  readonly #furthest = new WeakMap<ReadonlyMap<UserId, number>, number>()

  constructor(membership: Pick<MembershipCache, 'last'>) {
    this.#membership = membership
  }

  /** They are members now. Until it is known where in the log that is, nothing is for them. */
  coming(group: GroupId, users: readonly UserId[]): void {
    this.#put(group, users, Number.POSITIVE_INFINITY)
  }

  /** What comes behind `seq` is for them. */
  came(group: GroupId, users: readonly UserId[], seq: number): void {
    this.#put(group, users, seq)
  }

  /** They have gone again, or nobody can say where they came: then they get what other members get. */
  forget(group: GroupId, users: readonly UserId[]): void {
    for (const user of users) this.#groups.peek(group)?.delete(user)
  }

  /** The members for whom a message of this seq is not. */
  behind(group: GroupId, seq: number): ReadonlySet<UserId> {
    const told = this.#membership.last(group)?.joinedSeq ?? NOWHERE
    const own = this.#groups.peek(group)
    const isLate = this.#furthestOf(told) >= seq
    if (!own && !isLate) return NOBODY
    const later = new Set<UserId>()
    if (isLate) for (const [user, joined] of told) if (joined >= seq) later.add(user)
    for (const [user, joined] of own ?? []) if (joined.seq >= seq) later.add(user)
    return later
  }

  #furthestOf(places: ReadonlyMap<UserId, number>): number {
    let furthest = this.#furthest.get(places)
    if (furthest === undefined) {
      furthest = 0
      for (const seq of places.values()) furthest = Math.max(furthest, seq)
      this.#furthest.set(places, furthest)
    }
    return furthest
  }

  #put(group: GroupId, users: readonly UserId[], seq: number): void {
    if (users.length === 0) return
    const since = performance.now()
    const own = this.#groups.get(group) ?? new Map<UserId, { seq: number; since: number }>()
    for (const [user, joined] of own) if (joined.since < since - REMEMBERED_MS) own.delete(user)
    for (const user of users) own.set(user, { seq, since })
    this.#groups.set(group, own)
  }
}
