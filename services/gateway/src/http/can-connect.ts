import type { FastifyInstance } from 'fastify'
import { sendJson } from './refuse.ts'

/** Seed B, canConnect, for login servers that look for a gateway with room: `true` or `false`. */
export function registerCanConnect(app: FastifyInstance, canConnect: () => boolean): void {
  app.get('/canConnect', (_request, reply) => sendJson(reply, canConnect()))
}
