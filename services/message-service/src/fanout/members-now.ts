import { setTimeout as delay } from 'node:timers/promises'
import type { GroupId, UserId } from '@qunxin/contracts'
import type { MembershipCache } from '../membership/cache.ts'
import type { Members } from '../membership/members.ts'

const PATIENCE_MS = 1_000
const RETRY_MS = 100

/**
 * The members at the moment of the fan-out, not at that of the check: who was kicked while a commit was under way gets nothing
 * of it. While group-service is away nobody can be kicked, so after a second what was known last counts; undefined when
 * nothing is known.
 */
export async function membersNow(
  membership: MembershipCache,
  group: GroupId,
): Promise<ReadonlySet<UserId> | undefined> {
  return (await membershipNow(membership, group))?.users
}

/** The same with all that is known of the members. */
export async function membershipNow(membership: MembershipCache, group: GroupId): Promise<Members | undefined> {
  const fresh = membership.fresh(group)
  if (fresh) return fresh
  const over = AbortSignal.timeout(PATIENCE_MS)
  const loading = async () => {
    while (!over.aborted) {
      // Asked for after the commit: however slow the answer, whoever was kicked before is not in it.
      const loaded = await membership.load(group).then(
        () => true,
        () => false,
      )
      // Unless they came for a cache that has been dropped meanwhile.
      if (loaded && membership.last(group)) return
      await delay(RETRY_MS, undefined, { signal: over }).catch(() => {})
    }
  }
  await Promise.race([loading(), delay(PATIENCE_MS, undefined, { signal: over }).catch(() => {})])
  return membership.fresh(group) ?? membership.last(group)
}
