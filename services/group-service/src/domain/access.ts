import type { GroupId, UserId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import type { GroupStore, GroupView } from '../store/group-store.ts'
import type { Group, Member } from './group.ts'

/** @throws AppError NOT_A_MEMBER */
export async function memberIn(view: GroupView, user: UserId): Promise<Member> {
  const member = (await view.members([user])).get(user)
  if (!member) throw new AppError('NOT_A_MEMBER')
  return member
}

/** @throws AppError NOT_A_MEMBER, NOT_ALLOWED unless owner or admin */
export async function adminIn(view: GroupView, user: UserId): Promise<Member> {
  const member = await memberIn(view, user)
  if (!isAdmin(member)) throw new AppError('NOT_ALLOWED')
  return member
}

/** @throws AppError NOT_A_MEMBER, NOT_ALLOWED unless owner */
export async function ownerIn(view: GroupView, user: UserId): Promise<Member> {
  const member = await memberIn(view, user)
  if (member.role !== 'owner') throw new AppError('NOT_ALLOWED')
  return member
}

/** For what members may read without changing anything. @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER */
export async function readable(
  store: GroupStore,
  user: UserId,
  groupId: GroupId,
): Promise<{ group: Group; member: Member }> {
  const found = await store.findMember(groupId, user)
  if (!found) throw new AppError('GROUP_NOT_FOUND')
  if (!found.member) throw new AppError('NOT_A_MEMBER')
  return { group: found.group, member: found.member }
}

/** The owner is an admin, too. */
export function isAdmin(member: Member): boolean {
  return member.role !== 'member'
}
