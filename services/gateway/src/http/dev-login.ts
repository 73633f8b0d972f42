import { userId } from '@qunxin/contracts'
import { validate } from '@qunxin/runtime'
import type { FastifyInstance } from 'fastify'
import { SignJWT } from 'jose'
import { z } from 'zod'
import type { AuthConfig } from '../auth/authenticator.ts'
import { sendJson } from './refuse.ts'

const LIFETIME_MS = 24 * 60 * 60 * 1000

const asked = z.object({ uid: userId, client: z.string().max(256).default('F9FQXGP8FCM5') })

/** Development only: a token for whoever asks, as the login server outside this system would give it (protocol §1). */
export function registerDevLogin(app: FastifyInstance, config: AuthConfig & { AUTH_SECRET: string }): void {
  const secret = new TextEncoder().encode(config.AUTH_SECRET)
  app.post('/dev/token', async (request, reply) => {
    const { uid, client } = validate(asked, request.body)
    const expire = Math.floor((Date.now() + LIFETIME_MS) / 1000) * 1000
    const token = new SignJWT({ client })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(uid)
      .setIssuedAt()
      .setExpirationTime(expire / 1000)
    if (config.AUTH_AUDIENCE !== undefined) token.setAudience(config.AUTH_AUDIENCE)
    if (config.AUTH_ISSUER !== undefined) token.setIssuer(config.AUTH_ISSUER)
    return sendJson(reply, { uid, accessToken: await token.sign(secret), client, expire })
  })
}
