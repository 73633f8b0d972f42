import {
  type GroupId,
  type GroupInfo,
  type GroupUser,
  profileFieldNames,
  type Role,
  type UserId,
} from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import type { Profile } from '../store/user-store.ts'
import { readable } from './access.ts'
import type { Member } from './group.ts'
import { infoOf } from './list.ts'
import type { Ports } from './ports.ts'

/** Seed A, call 3. @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER */
export async function getGroupDetail(
  { store, users }: Ports,
  user: UserId,
  groupId: GroupId,
): Promise<{ groupInfo: GroupInfo; userList: GroupUser[] }> {
  await readable(store, user, groupId)
  const found = await store.findMembers(groupId)
  if (!found) throw new AppError('GROUP_NOT_FOUND')
  const members = found.members.toSorted(byRankThenTime)
  const profiles = await users.get(members.map((member) => member.userId))
  return {
    groupInfo: infoOf(found.group),
    userList: members.map((member) => groupUserOf(member, profiles.get(member.userId))),
  }
}

const userTypes = { owner: '1', admin: '2', member: '3' } as const satisfies Record<Role, GroupUser['user_type']>

/** The owner first, then admins, then by the time of joining; who came in one request stands by id. */
function byRankThenTime(a: Member, b: Member): number {
  return (
    Number(userTypes[a.role]) - Number(userTypes[b.role]) ||
    a.joinedAt - b.joinedAt ||
    Number(a.userId) - Number(b.userId)
  )
}

function groupUserOf(member: Member, profile: Profile | undefined): GroupUser {
  return {
    userId: Number(member.userId),
    ...fullProfile(profile),
    user_type: userTypes[member.role],
    show_name: member.showName,
  }
}

/** Every field of seed A, empty when unknown. */
export function fullProfile(profile: Profile | undefined): Required<{ [Field in keyof Profile]: string }> {
  const fields = profileFieldNames.map((name) => [name, profile?.[name] ?? ''])
  return Object.fromEntries(fields) as Required<{ [Field in keyof Profile]: string }>
}
