import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { createLogger } from '@qunxin/runtime'
import { type FastifyInstance, fastify } from 'fastify'
import t, { type Test } from 'tap'
import { Upgrades } from '../../src/socket/upgrade.ts'
import { edge } from '../edge.ts'

const UPGRADE = [
  'Host: here',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  '\r\n',
].join('\r\n')

/** Writes the text to a connection of its own; `answer` is all that came when it was closed. */
async function setup(t: Test, app: FastifyInstance = fastify()) {
  const taken: string[] = []
  new Upgrades(app, {
    admit: () => undefined,
    take(socket, { request }) {
      taken.push(request.url ?? '')
      socket.terminate()
    },
    frameLimitBytes: 1_024,
    logger: createLogger('gateway', 'silent'),
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const ask = async (text: string) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', (data) => {
      answer += String(data)
    })
    socket.on('error', () => {})
    socket.write(text)
    await once(socket, 'close')
    return answer
  }
  return { ask, taken }
}

t.test('a handshake behind a request without an answer ends its connection, and nothing else', async (t) => {
  const app = fastify()
  const [begun, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()]
  app.get('/slow', () => {
    begun.resolve()
    return answer.promise
  })
  const { ask, taken } = await setup(t, app)
  const slow = 'GET /slow HTTP/1.1\r\nHost: here\r\n\r\n'
  const asked = Promise.all(['/ws', '/nothing'].map((path) => ask(`${slow}GET ${path} HTTP/1.1\r\n${UPGRADE}`)))
  await begun.promise
  t.same(await asked, ['', ''])
  answer.resolve('late')
  t.same(taken, [])
  t.match(await ask(`GET /ws HTTP/1.1\r\n${UPGRADE}`), /^HTTP\/1.1 101 /)
  t.same(taken, ['/ws'])
})

t.test('what is no GET is no handshake', async (t) => {
  const { ask, taken } = await setup(t)
  t.match(await ask(`POST /ws HTTP/1.1\r\n${UPGRADE}`), /^HTTP\/1.1 404 /)
  t.same(taken, [])
})

t.test('a call that would also speak HTTP/2 is answered, with its body', async (t) => {
  const { ask } = await setup(t, await edge())
  const body = '{"headers":{"uid":"1"},"data":{"groupId":"1"}}'
  const headers = `Host: here\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n`
  const type = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  t.match(await ask(`POST /chat/group!joinGroup HTTP/1.1\r\n${headers}${type}${body}`), /^HTTP\/1.1 401 /)
})
