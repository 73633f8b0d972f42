import type { GroupId, UserId } from '@qunxin/contracts'
import { ownerIn } from './access.ts'
import { changeGroup } from './change.ts'
import type { Ports } from './ports.ts'

/**
 * Seed B, deleteGroup: the owner only. History stays stored but can no longer be reached.
 *
 * @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER, NOT_ALLOWED
 */
export function deleteGroup(ports: Ports, user: UserId, groupId: GroupId): Promise<Record<string, never>> {
  return changeGroup(ports, groupId, async (view, at) => {
    await ownerIn(view, user)
    return {
      result: {},
      delta: { at, deleted: true, facts: [{ what: 'deleted', byUserId: user }] },
      notices: [{ reason: 'deleted', byUserId: user, listChanged: await view.allMemberIds() }],
    }
  })
}
