import type { GroupId, UserId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import { isAdmin, memberIn } from './access.ts'
import { changeGroup } from './change.ts'
import type { Member } from './group.ts'
import type { Ports } from './ports.ts'

/**
 * Seed B, addGroupMembers: by any member, or by admins only when `addBy` says so. Those already in are skipped.
 *
 * @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER, NOT_ALLOWED; GROUP_FULL when not all fit, and nobody is added
 */
export function addGroupMembers(
  ports: Ports,
  user: UserId,
  { groupId, memberIds }: { groupId: GroupId; memberIds: readonly UserId[] },
): Promise<Record<string, never>> {
  return changeGroup(ports, groupId, async (view, at) => {
    const { group } = view
    const caller = await memberIn(view, user)
    if (group.addBy === 'admins' && !isAdmin(caller)) throw new AppError('NOT_ALLOWED')
    const already = await view.members(memberIds)
    const userIds = [...new Set(memberIds)].filter((id) => !already.has(id))
    if (userIds.length === 0) return { result: {} }
    if (group.memberCount + userIds.length > ports.membersMax) throw new AppError('GROUP_FULL')
    return {
      result: {},
      delta: {
        at,
        added: userIds.map<Member>((userId) => ({ userId, role: 'member', showName: '', joinedAt: at })),
        facts: [{ what: 'memberAdded', byUserId: user, userIds }],
      },
      notices: [{ reason: 'added', byUserId: user, userIds, listChanged: userIds }],
    }
  })
}
