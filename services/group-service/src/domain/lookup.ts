import type {
  GroupId,
  groupsOfUsers as groupsOfUsersOperation,
  memberOf as memberOfOperation,
  membershipsOf as membershipsOfOperation,
  membersOf as membersOfOperation,
  OutputOf,
  UserId,
} from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import { readable } from './access.ts'
import type { Membership } from './group.ts'
import { settingsOf } from './list.ts'
import type { Ports } from './ports.ts'

/** Seed B, GroupUserModel: the userId is a number there. */
export async function groupsOfUser({ store }: Ports, user: UserId): Promise<{ userId: number; groupIds: GroupId[] }> {
  const memberships = await store.groupsOf(user)
  return { userId: Number(user), groupIds: memberships.map(({ group }) => group.groupId) }
}

/** The members, the settings message-service goes by and the version they are of, as of one moment. @throws AppError GROUP_NOT_FOUND */
export async function membersOf({ store }: Ports, groupId: GroupId): Promise<OutputOf<typeof membersOfOperation>> {
  const found = await store.findMembers(groupId)
  if (!found) throw new AppError('GROUP_NOT_FOUND')
  return {
    members: found.members.map(({ userId, role, joinedSeq, joinedAt }) => ({
      userId,
      role,
      ...(joinedSeq === undefined ? { joinedAt } : { joinedSeq }),
    })),
    version: found.group.membersVersion,
    ...settingsOf(found.group),
  }
}

/** @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER */
export async function memberOf(
  { store }: Ports,
  groupId: GroupId,
  user: UserId,
): Promise<OutputOf<typeof memberOfOperation>> {
  const { group, member } = await readable(store, user, groupId)
  if (group.history !== 'joined') return { ...shownMembership({ group, member, past: [] }), role: member.role }
  const found = await store.findMembership(groupId, user)
  if (!found) throw new AppError('NOT_A_MEMBER')
  return { ...shownMembership(found), role: found.member.role }
}

export async function membershipsOf({ store }: Ports, user: UserId): Promise<OutputOf<typeof membershipsOfOperation>> {
  const memberships = await store.membershipsOf(user)
  return { memberships: memberships.map((one) => ({ groupId: one.group.groupId, ...shownMembership(one) })) }
}

/** The times of being a member matter only where they decide what may be read. */
function shownMembership({ group, member, past }: Membership): Omit<OutputOf<typeof memberOfOperation>, 'role'> {
  const { joinedAt, joinedSeq } = member
  return {
    joinedAt,
    joinedSeq,
    ...(group.history === 'joined' && { visible: [...past, { afterTime: joinedAt, afterSeq: joinedSeq }] }),
  }
}

/** Read at once: a user is in a few dozen groups, and a few hundred ask together. */
const MEMBERSHIPS_AT_ONCE = 5_000

export async function groupsOfUsers(
  { store }: Ports,
  userIds: readonly UserId[],
): Promise<OutputOf<typeof groupsOfUsersOperation>> {
  const joined = await store.joinedBy(userIds, MEMBERSHIPS_AT_ONCE)
  return { users: userIds.map((user) => joined.get(user) ?? null) }
}

export async function versionsOf({ store }: Ports, groupIds: readonly GroupId[]): Promise<{ versions: number[] }> {
  return { versions: await store.versionsOf(groupIds) }
}
