import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import { errors, type JWTClaimVerificationOptions, type JWTPayload, UnsecuredJWT } from 'jose'

/** What the payload is handed on under once its signature is found good. */
const CHECKED = `${Buffer.from('{"alg":"none"}').toString('base64url')}.`

export interface SecretCheck {
  /** Is this token, by its header, one of HS256? @throws what is wrong with a header that cannot be read */
  isFor(token: string): boolean
  /** Of a token that it is for. @throws what is wrong with it */
  payloadOf(token: string, claims: JWTClaimVerificationOptions): JWTPayload
}

/**
 * Checks HS256 tokens without a promise. jose's way there is WebCrypto, which goes through another thread: three times the work,
 * with thousands who connect at once. The signature is Node's HMAC; the claims are read and judged by jose all the same.
 */
export function createSecretCheck(secret: string): SecretCheck {
  const key = createSecretKey(Buffer.from(secret))
  /** Found to be one of HS256: all tokens of an issuer have the same, and to read it again takes longer than the HMAC. */
  let known: string | undefined
  return {
    isFor(token) {
      const header = token.slice(0, token.indexOf('.') + 1)
      if (header === known) return true
      if (!isHs256(header.slice(0, -1))) return false
      known = header
      return true
    },
    payloadOf(token, claims) {
      const [header = '', payload = '', signature = '', ...more] = token.split('.')
      if (more.length > 0) throw new errors.JWSInvalid()
      // Compared as texts: of several texts for the same bytes one is right.
      const right = createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url')
      if (!isSame(signature, right)) throw new errors.JWSSignatureVerificationFailed()
      return UnsecuredJWT.decode(`${CHECKED}${payload}.`, claims).payload
    },
  }
}

/** Extensions that must be understood are none that we know. */
function isHs256(encoded: string): boolean {
  const header: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString())
  return (
    typeof header === 'object' && header !== null && 'alg' in header && header.alg === 'HS256' && !('crit' in header)
  )
}

function isSame(given: string, right: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(right)]
  return one.length === other.length && timingSafeEqual(one, other)
}
