import type { GroupId, Role, UserId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import { readable } from './access.ts'
import { slowModeOf } from './list.ts'
import type { Ports } from './ports.ts'

/** Seed B, GroupUserModel: the userId is a number there. */
export async function groupsOfUser({ store }: Ports, user: UserId): Promise<{ userId: number; groupIds: GroupId[] }> {
  const memberships = await store.groupsOf(user)
  return { userId: Number(user), groupIds: memberships.map(({ group }) => group.groupId) }
}

/** The members, the slow mode and the version they are of, as of one moment. @throws AppError GROUP_NOT_FOUND */
export async function membersOf(
  { store }: Ports,
  groupId: GroupId,
): Promise<{ members: { userId: UserId; role: Role }[]; version: number; slowModeMs?: number }> {
  const found = await store.findMembers(groupId)
  if (!found) throw new AppError('GROUP_NOT_FOUND')
  return {
    members: found.members.map(({ userId, role }) => ({ userId, role })),
    version: found.group.membersVersion,
    ...slowModeOf(found.group),
  }
}

/** @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER */
export async function memberOf(
  { store }: Ports,
  groupId: GroupId,
  user: UserId,
): Promise<{ joinedAt: number; role: Role }> {
  const { member } = await readable(store, user, groupId)
  return { joinedAt: member.joinedAt, role: member.role }
}

export async function membershipsOf(
  { store }: Ports,
  user: UserId,
): Promise<{ memberships: { groupId: GroupId; joinedAt: number }[] }> {
  const memberships = await store.groupsOf(user)
  return { memberships: memberships.map(({ group, joinedAt }) => ({ groupId: group.groupId, joinedAt })) }
}

export async function versionsOf({ store }: Ports, groupIds: readonly GroupId[]): Promise<{ versions: number[] }> {
  return { versions: await store.versionsOf(groupIds) }
}
