import type { UserId } from '@qunxin/contracts'
import type { Profile, UserStore } from '../user-store.ts'

/** For tests of the domain: one process, nothing kept. */
export class MemoryUserStore implements UserStore {
  readonly #profiles = new Map<UserId, Profile>()
  readonly #notBefore = new Map<UserId, number>()

  async put(profiles: ReadonlyMap<UserId, Profile>): Promise<void> {
    for (const [user, profile] of profiles) {
      const given = Object.entries(profile).filter(([, value]) => value !== undefined)
      this.#profiles.set(user, { ...this.#profiles.get(user), ...Object.fromEntries(given) })
    }
  }

  async get(users: readonly UserId[]): Promise<Map<UserId, Profile>> {
    return pick(this.#profiles, users)
  }

  async setNotBefore(user: UserId, notBefore: number): Promise<number> {
    const counts = Math.max(notBefore, this.#notBefore.get(user) ?? 0)
    this.#notBefore.set(user, counts)
    return counts
  }

  async notBeforeOf(users: readonly UserId[]): Promise<Map<UserId, number>> {
    return pick(this.#notBefore, users)
  }
}

function pick<T>(from: ReadonlyMap<UserId, T>, users: readonly UserId[]): Map<UserId, T> {
  const found = new Map<UserId, T>()
  for (const user of users) {
    const value = from.get(user)
    if (value !== undefined) found.set(user, value)
  }
  return found
}
