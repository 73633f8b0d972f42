import type { Bus } from '@qunxin/bus'
import {
  type GroupId,
  groupsOfUsers,
  memberOf,
  membershipsOf,
  membersOf,
  type OutputOf,
  type UserId,
  versionsOf,
} from '@qunxin/contracts'

/** A user's being in one group, and what of it they may see. */
export type Membership = OutputOf<typeof membershipsOf>['memberships'][number]

/** group-service as this process asks it. */
export interface MembershipSource {
  /** @throws AppError GROUP_NOT_FOUND */
  membersOf(group: GroupId): Promise<OutputOf<typeof membersOf>>
  /** In the order asked, 0 for a group that is gone. */
  versionsOf(groups: readonly GroupId[]): Promise<number[]>
  /** @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER */
  memberOf(group: GroupId, user: UserId): Promise<OutputOf<typeof memberOf>>
  groupsOf(user: UserId): Promise<Membership[]>
  /** In the order asked; null for users to be asked for alone. */
  groupsOfUsers(users: readonly UserId[]): Promise<OutputOf<typeof groupsOfUsers>['users']>
}

const CACHE_TIMEOUT_MS = 2_000
const GROUPS_PER_QUESTION = 1_000

export function membershipSource(bus: Bus): MembershipSource {
  return {
    membersOf: (groupId) => bus.request(membersOf, { groupId }, { timeoutMs: CACHE_TIMEOUT_MS }),
    async versionsOf(groups) {
      const asked: Promise<OutputOf<typeof versionsOf>>[] = []
      for (let at = 0; at < groups.length; at += GROUPS_PER_QUESTION) {
        const groupIds = groups.slice(at, at + GROUPS_PER_QUESTION)
        asked.push(bus.request(versionsOf, { groupIds }, { timeoutMs: CACHE_TIMEOUT_MS }))
      }
      return (await Promise.all(asked)).flatMap(({ versions }) => versions)
    },
    memberOf: (groupId, userId) => bus.request(memberOf, { groupId, userId }),
    groupsOf: async (userId) => (await bus.request(membershipsOf, { userId })).memberships,
    groupsOfUsers: async (users) => (await bus.request(groupsOfUsers, { userIds: [...users] })).users,
  }
}
