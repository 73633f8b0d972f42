import type { GroupId, UserId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import { isAdmin, memberIn } from './access.ts'
import { changeGroup } from './change.ts'
import type { Ports } from './ports.ts'

/**
 * Seed A, call 5: the owner and admins may not leave.
 *
 * @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER, ADMIN_CANNOT_LEAVE
 */
export function exitGroup(ports: Ports, user: UserId, groupId: GroupId): Promise<{ groupName: string }> {
  return changeGroup(ports, groupId, async (view, at) => {
    if (isAdmin(await memberIn(view, user))) throw new AppError('ADMIN_CANNOT_LEAVE')
    return {
      result: { groupName: view.group.groupName },
      delta: { at, removed: [user], facts: [{ what: 'memberRemoved', byUserId: user, userIds: [user] }] },
      notices: [{ reason: 'left', byUserId: user, userIds: [user], listChanged: [user] }],
    }
  })
}
