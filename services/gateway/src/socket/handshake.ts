import type { IncomingMessage } from 'node:http'
import { parse } from 'node:querystring'
import { AppError } from '@qunxin/runtime'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Authenticator } from '../auth/authenticator.ts'
import type { Principal } from '../auth/principal.ts'
import { languageOf } from '../calls/language.ts'
import { refusalData } from '../calls/present.ts'
import type { Origins } from '../http/origins.ts'
import { sendJson } from '../http/refuse.ts'

export interface HandshakeOptions {
  authenticator: Authenticator
  origins: Origins
  /** Is a further connection taken? */
  takes(): boolean
}

/**
 * Looks at a handshake before the upgrade, so that a refusal is an HTTP answer: pages of other origins, a token that is not good,
 * and a gateway that is full. Without a token the upgrade goes on: it may come with getUserId.
 */
export function createAdmission({ authenticator, origins, takes }: HandshakeOptions) {
  return (request: IncomingMessage): undefined | Promise<Principal> => {
    if (!origins.allows(request.headers.origin, request.headers.host)) throw new AppError('FORBIDDEN')
    if (!takes()) throw new AppError('UNAVAILABLE')
    const token = tokenOf(request)
    return token === undefined ? undefined : authenticator.verify(token)
  }
}

/** The answer to a handshake that was refused; `refused` is undefined of what was none. */
export function answerRefused(refused: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!(refused instanceof AppError && refused.code === 'FORBIDDEN')) throw refused ?? new AppError('UNKNOWN_OPERATION')
  // A call that is forbidden is answered 200; to browsers this must be no success.
  const language = languageOf(request.headers['accept-language'])
  return sendJson(reply.code(403), { headers: {}, data: refusalData(refused, language) })
}

/** `Authorization: Bearer`, or `?accessToken=` for browsers, which cannot set headers. */
function tokenOf({ headers, url = '' }: IncomingMessage): string | undefined {
  const { authorization } = headers
  if (authorization !== undefined) return /^Bearer (\S+)$/i.exec(authorization)?.[1] ?? ''
  const query = url.indexOf('?')
  if (query < 0) return undefined
  const { accessToken } = parse(url.slice(query + 1))
  return accessToken === undefined ? undefined : String(accessToken)
}
