import { isDeepStrictEqual } from 'node:util'
import type { GroupId, UserId } from '@qunxin/contracts'
import type { Visible } from '../domain/visibility.ts'
import type { MembershipSource } from '../membership/source.ts'

/** Protocol §4: a change of membership is in force for history at the latest so long after it was answered. */
const HOLDS_MS = 200

/**
 * Reads by what a user is a member of, and answers both. When the reading took so long that they may have gone since, it is asked
 * again, and read anew unless nothing has changed: what was sent meanwhile is not for who has left.
 *
 * @param read finds the newest that is shown
 */
export async function readAsMember<M, T>(ask: () => Promise<M>, read: (member: M) => Promise<T>): Promise<[M, T]> {
  let askedAt = performance.now()
  let member = await ask()
  for (;;) {
    const result = await read(member)
    if (performance.now() - askedAt <= HOLDS_MS) return [member, result]
    askedAt = performance.now()
    const now = await ask()
    if (isDeepStrictEqual(now, member)) return [member, result]
    member = now
  }
}

/**
 * What a user may see of a group; without one, of a personal conversation, everything.
 *
 * @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER
 */
export async function visibleTo(
  membership: Pick<MembershipSource, 'memberOf'>,
  user: UserId,
  group: GroupId | undefined,
): Promise<Visible> {
  return group === undefined ? undefined : (await membership.memberOf(group, user)).visible
}
