import type { FastifyInstance } from 'fastify'

/** A client that keeps its connection would send its next request into one that is about to be closed: each answer says so. */
export function tellGoingAway(app: FastifyInstance, draining: () => boolean): void {
  app.addHook('onSend', async (_request, reply) => {
    if (draining()) reply.header('connection', 'close')
  })
}
