import { AppError } from '@qunxin/runtime'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Bodies of all requests under way together: 256 of the largest, or more small ones than the limit of calls. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

/** As announced; 0 when it comes in pieces of unknown length. */
export function bodyBytes({ headers }: Pick<FastifyRequest, 'headers'>): number {
  return Number(headers['content-length'] ?? 0) || 0
}

/**
 * Refuses a request whose body would not fit beside those under way, before a byte of it is read. What comes in pieces counts as
 * the largest there may be, and so does what announces more than that: it is refused when it is read.
 */
export function limitBodies(app: FastifyInstance, options: { bodyLimit: number; total?: number }): void {
  const { bodyLimit, total = MAX_BODY_BYTES } = options
  let taken = 0
  app.addHook('onRequest', async (request, reply) => {
    if (request.method !== 'POST') return
    const bytes = Math.min(bodyBytes(request) || bodyLimit, bodyLimit)
    if (taken + bytes > total) throw new AppError('UNAVAILABLE', { details: { problem: 'too many bodies under way' } })
    taken += bytes
    // Also when the client has gone away in the middle.
    reply.raw.once('close', () => {
      taken -= bytes
    })
  })
}
