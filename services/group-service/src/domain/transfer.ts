import type { Role, UserId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import type { GroupView } from '../store/group-store.ts'
import type { Member } from './group.ts'

export interface Transfer {
  newOwner: UserId
  /** The new owner and the old one. */
  userIds: UserId[]
  roles: readonly { userId: UserId; role: Role }[]
}

/**
 * What handing the group to `creator` changes: the old owner becomes a plain member. Nothing when they own it already, so
 * that an admin may send the whole model back.
 *
 * @throws AppError NOT_ALLOWED unless the caller owns the group, MEMBER_NOT_FOUND when `creator` is no member
 */
export async function transferTo(
  creator: UserId | undefined,
  view: GroupView,
  caller: Member,
): Promise<Transfer | undefined> {
  if (creator === undefined || creator === view.group.creator) return undefined
  if (caller.role !== 'owner') throw new AppError('NOT_ALLOWED')
  if (!(await view.members([creator])).has(creator)) throw new AppError('MEMBER_NOT_FOUND')
  return {
    newOwner: creator,
    userIds: [creator, caller.userId],
    roles: [
      { userId: creator, role: 'owner' },
      { userId: caller.userId, role: 'member' },
    ],
  }
}
