import type { GroupId, UserId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import { changeGroup } from './change.ts'
import { joinPolicyOf } from './group.ts'
import type { Ports } from './ports.ts'

/**
 * Seed A, call 1: approved at once; joining again succeeds, in a closed group too, and changes nothing.
 *
 * @throws AppError GROUP_NOT_FOUND, NOT_ALLOWED when closed, GROUP_FULL
 */
export function joinGroup(ports: Ports, user: UserId, groupId: GroupId): Promise<Record<string, never>> {
  return changeGroup(ports, groupId, async (view, at) => {
    const { group } = view
    const result = {}
    if ((await view.members([user])).has(user)) return { result }
    if (joinPolicyOf(group) === 'closed') throw new AppError('NOT_ALLOWED')
    if (group.memberCount >= ports.membersMax) throw new AppError('GROUP_FULL')
    return {
      result,
      delta: {
        at,
        added: [{ userId: user, role: 'member', showName: '', joinedAt: at }],
        facts: [{ what: 'memberAdded', byUserId: user, userIds: [user] }],
      },
      notices: [{ reason: 'joined', byUserId: user, userIds: [user], listChanged: [user] }],
    }
  })
}
