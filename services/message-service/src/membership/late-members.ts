import type { GroupId, UserId } from '@qunxin/contracts'
import { withinTime } from '@qunxin/runtime'
import { membershipNow } from '../fanout/members-now.ts'
import type { MembershipCache } from './cache.ts'

/** Gateways wait no longer than a second for the range this is asked for. */
const PATIENCE_MS = 400

/**
 * Who may not read the messages of a group up to which seq: with `history: joined` those of before they came. Undefined when
 * nothing is known of the members in time.
 */
export async function lateMembers(
  membership: MembershipCache,
  group: GroupId,
): Promise<[UserId, number][] | undefined> {
  const loaded = await withinTime(PATIENCE_MS, membershipNow(membership, group)).catch(() => undefined)
  const members = loaded ?? membership.last(group)
  if (!members) return undefined
  if (members.history !== 'joined') return []
  return [
    ...members.joinedSeq,
    ...[...members.unplaced].map((user): [UserId, number] => [user, Number.MAX_SAFE_INTEGER]),
  ]
}
