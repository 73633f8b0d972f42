import type { InputOf, setAdmin as setAdminOperation, UserId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import { ownerIn } from './access.ts'
import { changeGroup } from './change.ts'
import type { Ports } from './ports.ts'

/**
 * Extension: the owner makes a member an admin, or no longer one. The owner cannot make less of themselves than owner.
 *
 * @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER, NOT_ALLOWED, MEMBER_NOT_FOUND
 */
export function setAdmin(
  ports: Ports,
  user: UserId,
  { groupId, memberId, admin }: InputOf<typeof setAdminOperation>,
): Promise<Record<string, never>> {
  return changeGroup(ports, groupId, async (view, at) => {
    await ownerIn(view, user)
    if (memberId === user) throw new AppError('NOT_ALLOWED')
    const member = (await view.members([memberId])).get(memberId)
    if (!member) throw new AppError('MEMBER_NOT_FOUND')
    const role = admin ? 'admin' : 'member'
    if (member.role === role) return { result: {} }
    return {
      result: {},
      delta: {
        at,
        roles: [{ userId: memberId, role }],
        facts: [{ what: 'roleChanged', byUserId: user, userIds: [memberId] }],
      },
      notices: [{ reason: 'adminChanged', byUserId: user, userIds: [memberId] }],
    }
  })
}
