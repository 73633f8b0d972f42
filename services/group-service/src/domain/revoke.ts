import type { UserId } from '@qunxin/contracts'
import type { Ports } from './ports.ts'

/** Banned or signed out: tokens from before now count no more, and every socket of the user is closed. */
export async function revokeUser({ users, gateways, clock }: Ports, user: UserId): Promise<{ notBefore: number }> {
  const notBefore = await users.setNotBefore(user, clock.now())
  gateways.revoke(user, notBefore)
  return { notBefore }
}

/** In the order asked, in milliseconds since 1970; 0 when never revoked. */
export async function notBeforeOf({ users }: Ports, userIds: readonly UserId[]): Promise<{ notBefore: number[] }> {
  const known = await users.notBeforeOf(userIds)
  return { notBefore: userIds.map((userId) => known.get(userId) ?? 0) }
}
