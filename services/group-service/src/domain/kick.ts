import type { GroupId, UserId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import type { GroupDelta } from '../store/group-store.ts'
import { adminIn, isAdmin } from './access.ts'
import { changeGroup, type Notice } from './change.ts'
import type { Ports } from './ports.ts'

/**
 * Seed B, kickGroupMembers: the caller's own id in the list is ignored, and so are ids that are not members.
 *
 * @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER, NOT_ALLOWED, CANNOT_KICK_ADMIN for the whole list
 */
export function kickGroupMembers(
  ports: Ports,
  user: UserId,
  { groupId, memberIds }: { groupId: GroupId; memberIds: readonly UserId[] },
): Promise<Record<string, never>> {
  return changeGroup(ports, groupId, async (view, at) => {
    await adminIn(view, user)
    const members = await view.members(memberIds.filter((id) => id !== user))
    if ([...members.values()].some(isAdmin)) throw new AppError('CANNOT_KICK_ADMIN')
    return members.size === 0 ? { result: {} } : { result: {}, ...kicked(user, [...members.keys()], at) }
  })
}

/**
 * Seed A, call 6. The name for the text is the one shown in the group, else the nickname, else the id.
 *
 * @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER, NOT_ALLOWED, MEMBER_NOT_FOUND, CANNOT_KICK_ADMIN
 */
export async function deleteUser(
  ports: Ports,
  user: UserId,
  { groupId, groupUserId }: { groupId: GroupId; groupUserId: UserId },
): Promise<{ name: string }> {
  // Read before the change: when it fails afterwards, a member would be gone and the caller told otherwise.
  const nickName = (await ports.users.get([groupUserId])).get(groupUserId)?.nickName
  return changeGroup(ports, groupId, async (view, at) => {
    await adminIn(view, user)
    const member = (await view.members([groupUserId])).get(groupUserId)
    if (!member) throw new AppError('MEMBER_NOT_FOUND')
    if (isAdmin(member)) throw new AppError('CANNOT_KICK_ADMIN')
    return { result: { name: member.showName || nickName || groupUserId }, ...kicked(user, [groupUserId], at) }
  })
}

function kicked(byUserId: UserId, userIds: UserId[], at: number): { delta: GroupDelta; notices: Notice[] } {
  return {
    delta: { at, removed: userIds, facts: [{ what: 'memberRemoved', byUserId, userIds }] },
    notices: [{ reason: 'kicked', byUserId, userIds, listChanged: userIds }],
  }
}
