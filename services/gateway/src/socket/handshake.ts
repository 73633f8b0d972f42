import { AppError } from '@qunxin/runtime'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Authenticator } from '../auth/authenticator.ts'
import type { Principal } from '../auth/principal.ts'
import { languageOf } from '../calls/language.ts'
import { refusalData } from '../calls/present.ts'
import type { Origins } from '../http/origins.ts'
import { sendJson } from '../http/refuse.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose token came with a WebSocket handshake. */
    principal: Principal | undefined
  }
}

export interface HandshakeOptions {
  authenticator: Authenticator
  origins: Origins
  /** Is a further connection taken? */
  takes(): boolean
}

/**
 * Runs before the upgrade, so that a refusal is an HTTP answer: pages of other origins, a token that is not good, and a
 * gateway that is full. Without a token the upgrade goes on: it may come with getUserId.
 */
export function createHandshake(options: HandshakeOptions) {
  const { authenticator, origins, takes } = options
  const check = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    if (!request.ws) throw new AppError('UNKNOWN_OPERATION')
    if (!origins.allows(request.headers.origin, request.headers.host)) {
      const language = languageOf(request.headers['accept-language'])
      reply.helmet()
      return sendJson(reply.code(403), { headers: {}, data: refusalData(new AppError('FORBIDDEN'), language) })
    }
    if (!takes()) throw new AppError('UNAVAILABLE')
    const token = tokenOf(request)
    if (token !== undefined) request.principal = await authenticator.verify(token)
    return undefined
  }
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    try {
      return await check(request, reply)
    } catch (error) {
      reply.helmet()
      throw error
    }
  }
}

/** `Authorization: Bearer`, or `?accessToken=` for browsers, which cannot set headers. */
function tokenOf({ headers, query }: FastifyRequest): string | undefined {
  const { authorization } = headers
  if (authorization !== undefined) return /^Bearer (\S+)$/i.exec(authorization)?.[1] ?? ''
  const { accessToken } = query as Record<string, unknown>
  return accessToken === undefined ? undefined : String(accessToken)
}
