import type { UserId } from '@qunxin/contracts'
import { withinTime } from '@qunxin/runtime'
import type { Membership, MembershipSource } from '../membership/source.ts'

/** Far more than an answer takes, and little to who has just connected. */
const WAIT_MS = 1_000
const PAUSE_MS = 1_000
const MANY_PAUSE_MS = 5_000

/**
 * Which groups a user is in, for whom it is better to go on without than to wait. While group-service does not answer, one
 * question a second finds out when it does again; behind all others nobody waits, and no turn of a read is taken up.
 */
export class GroupsInTime {
  readonly #source: Pick<MembershipSource, 'groupsOf' | 'groupsOfUsers'>
  readonly #now: () => number
  #away = false
  #askAgainAt = 0
  /** Of the question about many at once, which an older group-service does not answer. */
  #askManyAgainAt = 0

  constructor(
    source: Pick<MembershipSource, 'groupsOf' | 'groupsOfUsers'>,
    now: () => number = () => performance.now(),
  ) {
    this.#source = source
    this.#now = now
  }

  /** Undefined when there was no answer in time. */
  async of(user: UserId): Promise<Membership[] | undefined> {
    if (this.#away && this.#now() < this.#askAgainAt) return undefined
    this.#askAgainAt = this.#now() + PAUSE_MS
    try {
      const memberships = await withinTime(WAIT_MS, this.#source.groupsOf(user))
      this.#away = false
      return memberships
    } catch {
      this.#away = true
      this.#askAgainAt = this.#now() + PAUSE_MS
      return undefined
    }
  }

  /** Of each user in the order asked, null for whom to ask alone; undefined when there was no answer in time. */
  async ofUsers(users: readonly UserId[]): Promise<Awaited<ReturnType<MembershipSource['groupsOfUsers']>> | undefined> {
    if (this.#now() < (this.#away ? Math.max(this.#askAgainAt, this.#askManyAgainAt) : this.#askManyAgainAt))
      return undefined
    try {
      return await withinTime(WAIT_MS, this.#source.groupsOfUsers(users))
    } catch {
      this.#askManyAgainAt = this.#now() + MANY_PAUSE_MS
      return undefined
    }
  }
}
