import type { AddressInfo } from 'node:net'
import { Writable } from 'node:stream'
import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import { WebSocket } from 'ws'
import { call, edge } from '../edge.ts'
import { token } from '../tokens.ts'

t.test('no token is in any log line', async (t) => {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const app = await edge({ logger: createLogger('gateway', 'trace', stream) })
  t.teardown(() => app.close())
  const accessToken = await token()
  const query = `?accessToken=${accessToken}`

  await call(app, `/chat/group!joinGroup${query}`, { groupId: '1' }, { accessToken })
  await call(app, '/chat/group!joinGroup', { groupId: {} }, { accessToken })
  await app.inject({ method: 'GET', url: `/nothing${query}` })
  await app.inject({ method: 'GET', url: `/%zz${query}` })
  await app.inject({
    method: 'POST',
    url: '/chat/group!joinGroup',
    headers: { 'content-type': 'application/json' },
    payload: `{"headers":{"accessToken":"${accessToken}"`,
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const socket = new WebSocket(`ws://127.0.0.1:${port}/nothing${query}`)
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))

  t.ok(lines.length >= 6, `${lines.length} lines`)
  for (const line of lines) t.notMatch(line, accessToken.slice(0, 20))
})
