import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { verify } from '../src/signature.ts'
import { Webhook } from '../src/webhook.ts'

const WEBHOOK_SECRET = 'a secret of the two'

interface Taken {
  id: unknown
  body: string
  isSigned: boolean
}

/** A webhook that answers as told, the last answer for ever. */
async function receiver(t: Test, ...answers: ((response: ServerResponse) => void)[]) {
  const taken: Taken[] = []
  const server = createServer((request: IncomingMessage, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const header = (name: string) => String(request.headers[name])
      const isSigned = verify(body, WEBHOOK_SECRET, {
        timestamp: header('x-timestamp'),
        signature: header('x-signature'),
      })
      taken.push({ id: request.headers['x-delivery'], body, isSigned })
      answers[Math.min(taken.length, answers.length) - 1]?.(response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const webhook = new Webhook({
    WEBHOOK_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    WEBHOOK_SECRET,
    TIMEOUT_MS: 200,
    ATTEMPTS: 4,
    BACKOFF_MS: 1,
    LONGEST_BACKOFF_MS: 20,
  })
  return { taken, webhook }
}
const status =
  (code: number, headers = {}) =>
  (response: ServerResponse) =>
    response.writeHead(code, headers).end('whatever')
const never = new AbortController().signal

t.test(
  'it is tried again until the webhook takes it: the same bytes under the same id, signed each time',
  async (t) => {
    const hangsUp = (response: ServerResponse) => response.destroy()
    const { taken, webhook } = await receiver(t, status(500), hangsUp, () => {}, status(204))
    t.equal(await webhook.deliver('{"facts":[1]}', 'd1', never), undefined)
    t.same(
      taken,
      Array.from({ length: 4 }, () => ({ id: 'd1', body: '{"facts":[1]}', isSigned: true })),
    )
  },
)

t.test('after so many attempts it says why it gave up', async (t) => {
  const { taken, webhook } = await receiver(t, status(503, { 'retry-after': '3600' }), status(302, { location: '/' }))
  const refusal = await webhook.deliver('{}', 'd1', never)
  t.match(refusal, { attempts: 4, reason: /redirect/ }, 'a redirect is not followed: it would take the signature along')
  t.equal(taken.length, 4)
})

t.test('a stop ends the waiting', async (t) => {
  const { webhook } = await receiver(t, status(500))
  const stop = new AbortController()
  stop.abort()
  await t.rejects(webhook.deliver('{}', 'd1', stop.signal), { name: 'AbortError' })
})
