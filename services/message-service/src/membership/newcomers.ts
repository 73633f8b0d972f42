import type { GroupId, UserId } from '@qunxin/contracts'
import { LRUCache } from 'lru-cache'
import type { MembershipCache } from './cache.ts'

/** Groups somebody has joined of late. */
const MOST_GROUPS = 10_000
/** By then group-service tells where they joined, and nothing of before is fanned out any more. */
const REMEMBERED_MS = 120_000

const NOBODY: ReadonlySet<UserId> = new Set()
const NOWHERE: ReadonlyMap<UserId, number> = new Map()

/** Who came to one group of late, and where. */
interface Recent {
  places: Map<UserId, { seq: number; since: number }>
  furthest: number
}

/**
 * For whom a message of a group is not, as they came later: what was being stored when they did, and what is sent round again,
 * goes out by the members of a later moment.
 */
export class Newcomers {
  readonly #membership: Pick<MembershipCache, 'last'>
  readonly #groups = new LRUCache<GroupId, Recent>({ max: MOST_GROUPS, ttl: REMEMBERED_MS })
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
    if (seq > 0) this.#put(group, users, seq)
    else this.forget(group, users)
  }

  /** They have gone again, or nobody can say where they came: then they get what other members get. */
  forget(group: GroupId, users: readonly UserId[]): void {
    const recent = this.#groups.peek(group)
    if (!recent) return
    for (const user of users) recent.places.delete(user)
    recent.furthest = furthestOf(recent.places.values())
  }

  /** The members for whom a message of this seq is not. */
  behind(group: GroupId, seq: number): ReadonlySet<UserId> {
    const told = this.#membership.last(group)?.joinedSeq ?? NOWHERE
    const recent = this.#groups.peek(group)
    const isBehindTold = this.#furthestOf(told) >= seq
    const isBehindRecent = recent !== undefined && recent.furthest >= seq
    if (!isBehindTold && !isBehindRecent) return NOBODY
    const later = new Set<UserId>()
    if (isBehindTold) for (const [user, joined] of told) if (joined >= seq) later.add(user)
    if (isBehindRecent) for (const [user, joined] of recent.places) if (joined.seq >= seq) later.add(user)
    return later
  }

  /** Whether a member may read what stands at this seq: with `history: joined` what was sent before they came is not theirs. */
  mayRead(group: GroupId, seq: number, user: UserId): boolean {
    const members = this.#membership.last(group)
    // Nothing is known of the group any more: it is read anew.
    if (!members) return false
    if (members.history !== 'joined') return true
    const joined = members.joinedSeq.get(user) ?? this.#groups.peek(group)?.places.get(user)?.seq
    return joined === undefined ? !members.unplaced.has(user) : joined < seq
  }

  #furthestOf(told: ReadonlyMap<UserId, number>): number {
    let furthest = this.#furthest.get(told)
    if (furthest === undefined) {
      furthest = Math.max(0, ...told.values())
      this.#furthest.set(told, furthest)
    }
    return furthest
  }

  #put(group: GroupId, users: readonly UserId[], seq: number): void {
    if (users.length === 0) return
    const since = performance.now()
    const places: Recent['places'] = this.#groups.get(group)?.places ?? new Map()
    for (const [user, joined] of places) if (joined.since < since - REMEMBERED_MS) places.delete(user)
    for (const user of users) places.set(user, { seq, since })
    this.#groups.set(group, { places, furthest: furthestOf(places.values()) })
  }
}

function furthestOf(places: Iterable<{ seq: number }>): number {
  let furthest = 0
  for (const { seq } of places) furthest = Math.max(furthest, seq)
  return furthest
}
