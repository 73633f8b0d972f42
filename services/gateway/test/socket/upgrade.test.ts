import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { createLogger } from '@qunxin/runtime'
import { fastify } from 'fastify'
import t, { type Test } from 'tap'
import { Upgrades } from '../../src/socket/upgrade.ts'

const UPGRADE = [
  'Host: here',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  '\r\n',
].join('\r\n')

/** Writes the text to a connection of its own; `answer` is all that came when it was closed. */
async function setup(t: Test) {
  const app = fastify()
  const begun = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<string>()
  app.get('/slow', () => {
    begun.resolve()
    return answer.promise
  })
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
  return { ask, taken, begun: begun.promise, answer: () => answer.resolve('late') }
}

t.test('a handshake behind a request without an answer ends its connection, and nothing else', async (t) => {
  const { ask, taken, begun, answer } = await setup(t)
  const slow = 'GET /slow HTTP/1.1\r\nHost: here\r\n\r\n'
  const asked = Promise.all(['/ws', '/nothing'].map((path) => ask(`${slow}GET ${path} HTTP/1.1\r\n${UPGRADE}`)))
  await begun
  t.same(await asked, ['', ''])
  answer()
  t.same(taken, [])
  t.match(await ask(`GET /ws HTTP/1.1\r\n${UPGRADE}`), /^HTTP\/1.1 101 /)
  t.same(taken, ['/ws'])
})

t.test('what is no GET is no handshake', async (t) => {
  const { ask, taken } = await setup(t)
  t.match(await ask(`POST /ws HTTP/1.1\r\n${UPGRADE}`), /^HTTP\/1.1 404 /)
  t.same(taken, [])
})
