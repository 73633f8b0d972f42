import { userId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import {
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  type JWTClaimVerificationOptions,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import { LRUCache } from 'lru-cache'
import type { GatewayConfig } from '../config.ts'
import { isRevoked, type Principal } from './principal.ts'
import { createSecretCheck } from './shared-secret.ts'

const BY_KEY_SET = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
/** A longer one is not looked at: signatures cost time, and headers carry no books. */
const LONGEST_TOKEN = 8 * 1024
/** Characters of tokens verified by a public key that are kept, so that a client that calls often is verified once. */
const REMEMBERED_CHARACTERS = 16 * 1024 * 1024

export type AuthConfig = Pick<GatewayConfig, 'AUTH_SECRET' | 'AUTH_JWKS_URL' | 'AUTH_AUDIENCE' | 'AUTH_ISSUER'>

/** Since when (ms) a user's tokens count; 0 when never revoked. */
export interface NotBefore {
  of(user: string): number | Promise<number>
}

export interface Authenticator {
  /** @throws AppError UNAUTHENTICATED; UNAVAILABLE when the key set cannot be fetched */
  verify(token: string): Promise<Principal>
}

export function createAuthenticator(
  config: AuthConfig,
  options: { notBefore: NotBefore; now?: () => number },
): Authenticator {
  const { notBefore, now = Date.now } = options
  const check = createSignatureCheck(config, now)

  return {
    async verify(token) {
      if (token === '' || token.length > LONGEST_TOKEN) throw new AppError('UNAUTHENTICATED')
      const principal = await check(token)
      if (principal.expiresAt <= now()) throw new AppError('UNAUTHENTICATED')
      if (isRevoked(principal, await notBefore.of(principal.userId))) throw new AppError('UNAUTHENTICATED')
      return principal
    },
  }
}

/** The algorithm decides which key is asked, and each key takes its own algorithms only: a public key never checks an HMAC. */
function createSignatureCheck(config: AuthConfig, now: () => number): (token: string) => Promise<Principal> {
  const bySecret = config.AUTH_SECRET === undefined ? undefined : createSecretCheck(config.AUTH_SECRET)
  const keySet = config.AUTH_JWKS_URL === undefined ? undefined : remoteKeys(config.AUTH_JWKS_URL)
  const verified = new LRUCache<string, Principal>({
    maxSize: REMEMBERED_CHARACTERS,
    sizeCalculation: (_, token) => token.length,
  })
  const claims = (): JWTClaimVerificationOptions => ({
    requiredClaims: ['sub', 'exp'],
    currentDate: new Date(now()),
    ...(config.AUTH_AUDIENCE !== undefined && { audience: config.AUTH_AUDIENCE }),
    ...(config.AUTH_ISSUER !== undefined && { issuer: config.AUTH_ISSUER }),
  })

  const byKeySet = async (token: string, keys: JWTVerifyGetKey) => {
    const known = verified.get(token)
    if (known) return known
    const principal = principalOf((await jwtVerify(token, keys, { ...claims(), algorithms: BY_KEY_SET })).payload)
    verified.set(token, principal)
    return principal
  }

  return async (token) => {
    try {
      // An HMAC takes less time than remembering it takes memory.
      if (bySecret?.isFor(token)) return principalOf(bySecret.payloadOf(token, claims()))
      const { alg = '' } = decodeProtectedHeader(token)
      if (keySet && BY_KEY_SET.includes(alg)) return await byKeySet(token, keySet)
    } catch (error) {
      throw error instanceof AppError ? error : new AppError('UNAUTHENTICATED', { cause: error })
    }
    throw new AppError('UNAUTHENTICATED')
  }
}

/** A key that is not in the set is the token's fault; a set that cannot be had is not. */
function remoteKeys(url: string): JWTVerifyGetKey {
  const keySet = createRemoteJWKSet(new URL(url))
  return async (header, token) => {
    try {
      return await keySet(header, token)
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error
      throw new AppError('UNAVAILABLE', { cause: error })
    }
  }
}

function principalOf(payload: JWTPayload): Principal {
  const { sub, exp, iat, client } = payload
  const user = userId.safeParse(sub)
  if (!user.success || exp === undefined) throw new AppError('UNAUTHENTICATED')
  if (client !== undefined && typeof client !== 'string') throw new AppError('UNAUTHENTICATED')
  return {
    userId: user.data,
    expiresAt: exp * 1000,
    ...(client !== undefined && { client }),
    ...(iat !== undefined && { issuedAt: iat }),
  }
}
