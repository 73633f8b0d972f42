import { httpHeaders } from '@qunxin/contracts'
import { AppError, validate } from '@qunxin/runtime'
import type { Authenticator } from '../auth/authenticator.ts'
import type { Principal } from '../auth/principal.ts'

/** Seed A: both ways the body is `{headers, data}`. */
export interface Envelope {
  headers: unknown
  data: unknown
}

/** @throws AppError BAD_REQUEST when the body is no JSON object */
export function envelopeOf(body: unknown): Envelope {
  if (!isObject(body)) throw new AppError('BAD_REQUEST', { details: { field: '' } })
  return { headers: body.headers, data: body.data }
}

const ECHOED = ['uid', 'accessToken', 'client', 'expire'] as const

/** The four headers as they were sent, and nothing else; empty when they cannot be read. */
export function echoOf(body: unknown): Record<string, unknown> {
  if (!isObject(body) || !isObject(body.headers)) return {}
  const { headers } = body
  const readable = (value: unknown) => typeof value === 'string' || typeof value === 'number'
  return Object.fromEntries(ECHOED.filter((name) => readable(headers[name])).map((name) => [name, headers[name]]))
}

/**
 * Seed A, headers: the token must verify, be `uid`'s, and be this client's when it names one; `expire` may not be past.
 *
 * @throws AppError UNAUTHENTICATED for anything wrong in them, its type included
 */
export async function principalOf(headers: unknown, authenticator: Authenticator, now: number): Promise<Principal> {
  const { uid, accessToken, client, expire } = validate(httpHeaders, headers, 'UNAUTHENTICATED')
  if (expire !== undefined && expire <= now) throw new AppError('UNAUTHENTICATED', { details: { field: 'expire' } })
  const principal = await authenticator.verify(accessToken)
  if (principal.userId !== uid) throw new AppError('UNAUTHENTICATED', { details: { field: 'uid' } })
  if (principal.client !== undefined && principal.client !== client)
    throw new AppError('UNAUTHENTICATED', { details: { field: 'client' } })
  return principal
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
