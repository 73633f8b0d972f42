import type { FastifyInstance } from 'fastify'
import type { Authenticator } from '../auth/authenticator.ts'
import type { Calls } from '../calls/calls.ts'
import { languageOf } from '../calls/language.ts'
import { successData } from '../calls/present.ts'
import { surface } from '../surface.ts'
import { bodyBytes } from './body-budget.ts'
import { echoOf, envelopeOf, principalOf } from './envelope.ts'
import { sendJson } from './refuse.ts'

/** Seed A: `POST` to each row's path. What is refused is thrown, and answered by the one funnel. */
export function registerCallRoutes(
  app: FastifyInstance,
  options: { authenticator: Authenticator; calls: Calls },
): void {
  const { authenticator, calls } = options
  for (const row of surface) {
    app.post(row.path, async (request, reply) => {
      const { headers, data } = envelopeOf(request.body)
      const principal = await principalOf(headers, authenticator, Date.now())
      const output = await calls.call(row, { principal, data, requestId: request.id, bytes: bodyBytes(request) })
      request.log.debug({ operation: row.operation.name, user: principal.userId }, 'served')
      const language = languageOf(request.headers['accept-language'])
      return sendJson(reply, { headers: echoOf(request.body), data: successData(row, output, language) })
    })
  }
}
