import type { UserId } from '@qunxin/contracts'

/** Who a verified token speaks for. */
export interface Principal {
  userId: UserId
  /** The `client` claim: the token is good for that client only. */
  client?: string
  /** Milliseconds since 1970. */
  expiresAt: number
  /** Seconds since 1970, the token's `iat`; without it a revoked user's token is never good again. */
  issuedAt?: number
}

/** Was this token issued before its user was revoked? `notBefore` in milliseconds, 0 when never revoked (protocol §6). */
export function isRevoked(principal: Pick<Principal, 'issuedAt'>, notBefore: number): boolean {
  if (notBefore === 0) return false
  return principal.issuedAt === undefined || principal.issuedAt < Math.floor(notBefore / 1000)
}
