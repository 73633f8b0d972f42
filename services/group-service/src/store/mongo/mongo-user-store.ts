import { profileFieldNames, type UserId } from '@qunxin/contracts'
import type { Profile, UserStore } from '../user-store.ts'
import type { Collections } from './database.ts'
import { isDuplicateKey } from './faults.ts'
import { slices } from './slices.ts'

const profileOnly = Object.fromEntries(profileFieldNames.map((name) => [name, 1]))

export class MongoUserStore implements UserStore {
  readonly #users: Collections['users']

  constructor({ users }: Pick<Collections, 'users'>) {
    this.#users = users
  }

  async put(profiles: ReadonlyMap<UserId, Profile>): Promise<void> {
    if (profiles.size === 0) return
    const putAt = Date.now()
    const updates = Array.from(profiles, ([_id, profile]) => ({
      updateOne: { filter: { _id }, update: { $set: { ...profile, putAt } }, upsert: true },
    }))
    const write = () => this.#users.bulkWrite(updates, { ordered: false })
    // Two calls may bring in the same new user at once: the second time it is there.
    await write().catch((error: unknown) => {
      if (isDuplicateKey(error)) return write()
      throw error
    })
  }

  async get(users: readonly UserId[]): Promise<Map<UserId, Profile>> {
    const found = new Map<UserId, Profile>()
    for (const slice of slices(users)) {
      const cursor = this.#users.find({ _id: { $in: slice }, putAt: { $exists: true } }, { projection: profileOnly })
      for (const { _id, ...profile } of await cursor.toArray()) found.set(_id, profile)
    }
    return found
  }

  async setNotBefore(user: UserId, notBefore: number): Promise<number> {
    const update = { $max: { notBefore } }
    const stored = await this.#users.findOneAndUpdate({ _id: user }, update, {
      upsert: true,
      returnDocument: 'after',
      projection: { notBefore: 1 },
    })
    return stored?.notBefore ?? notBefore
  }

  async notBeforeOf(users: readonly UserId[]): Promise<Map<UserId, number>> {
    const filter = { _id: { $in: [...users] }, notBefore: { $exists: true } }
    const found = await this.#users.find(filter, { projection: { notBefore: 1 } }).toArray()
    return new Map(found.map(({ _id, notBefore = 0 }) => [_id, notBefore]))
  }
}
