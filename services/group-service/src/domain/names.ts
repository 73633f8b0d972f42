import type { InputOf, UserId, userSetGroup as userSetGroupOperation } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import { isAdmin, memberIn } from './access.ts'
import { changeGroup } from './change.ts'
import type { Ports } from './ports.ts'

/**
 * Seed A, call 4: everyone sets their own name, the owner and admins anyone's. Clients read names when they show the group,
 * so nobody is told.
 *
 * @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER, NOT_ALLOWED, MEMBER_NOT_FOUND
 */
export function userSetGroup(
  ports: Ports,
  user: UserId,
  { groupId, showName, groupUserId: userId = user }: InputOf<typeof userSetGroupOperation>,
): Promise<Record<string, never>> {
  return changeGroup(ports, groupId, async (view, at) => {
    const caller = await memberIn(view, user)
    if (userId !== user && !isAdmin(caller)) throw new AppError('NOT_ALLOWED')
    const member = (await view.members([userId])).get(userId)
    if (!member) throw new AppError('MEMBER_NOT_FOUND')
    if (member.showName === showName) return { result: {} }
    return { result: {}, delta: { at, showName: { userId, showName }, facts: [] } }
  })
}
