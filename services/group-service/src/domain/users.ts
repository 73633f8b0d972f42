import type { getUsers, InputOf, OutputOf, putUsers, UserId } from '@qunxin/contracts'
import type { Profile } from '../store/user-store.ts'
import { fullProfile } from './detail.ts'
import type { Ports } from './ports.ts'

/** The user system pushes profiles in; of a user named twice the later fields count. */
export async function putProfiles(
  { users }: Ports,
  given: InputOf<typeof putUsers>['users'],
): Promise<Record<string, never>> {
  const profiles = new Map<UserId, Profile>()
  for (const { userId, ...profile } of given) profiles.set(userId, { ...profiles.get(userId), ...profile })
  await users.put(profiles)
  return {}
}

/** In the order asked; users never put are left out. */
export async function getProfiles({ users }: Ports, userIds: readonly UserId[]): Promise<OutputOf<typeof getUsers>> {
  const profiles = await users.get(userIds)
  const known = [...new Set(userIds)].filter((userId) => profiles.has(userId))
  return { users: known.map((userId) => ({ userId, ...fullProfile(profiles.get(userId)) })) }
}
