import { Transform } from 'node:stream'
import { AppError } from '@qunxin/runtime'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Bodies of all requests under way together: 256 of the largest, or more small ones than the limit of calls. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

/** As announced; 0 when it comes in pieces of unknown length. */
export function bodyBytes({ headers }: Pick<FastifyRequest, 'headers'>): number {
  return Number(headers['content-length'] ?? 0) || 0
}

/**
 * Refuses a request whose body does not fit beside those under way. What counts is what has come, whatever is announced: to take
 * room costs a client the bytes it takes us, and nobody needs a token to announce.
 */
export function limitBodies(app: FastifyInstance, { total = MAX_BODY_BYTES }: { total?: number } = {}): void {
  let taken = 0
  app.addHook('preParsing', (request, reply, payload, done) => {
    // Of every other method Fastify reads the body, also where there is nothing to call.
    if (request.method === 'GET' || request.method === 'HEAD') return done(null, payload)
    let bytes = 0
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, next) {
        if (taken + chunk.length > total)
          return next(new AppError('UNAVAILABLE', { details: { problem: 'too many bodies under way' } }))
        bytes += chunk.length
        taken += chunk.length
        next(null, chunk)
      },
    })
    // Left unread, the rest of a body would stand in front of the connection's next request.
    const skipRest = () => {
      payload.unpipe(counted)
      payload.resume()
    }
    counted.on('error', skipRest)
    payload.on('error', (error) => counted.destroy(error))
    // Also when the client has gone away in the middle.
    reply.raw.once('close', () => {
      taken -= bytes
      counted.destroy()
      skipRest()
    })
    done(null, payload.pipe(counted))
  })
}
