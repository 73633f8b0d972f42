import { request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { jwtVerify } from 'jose'
import t from 'tap'
import { edge } from '../edge.ts'
import { SECRET } from '../tokens.ts'

t.test('canConnect is true or false, as JSON', async (t) => {
  let room = true
  const app = await edge({ canConnect: () => room })
  t.teardown(() => app.close())
  const first = await app.inject('/canConnect')
  t.match(first, { statusCode: 200, body: 'true', headers: { 'content-type': /^application\/json/ } })
  room = false
  t.match(await app.inject('/canConnect'), { statusCode: 200, body: 'false' })
})

t.test('development tokens', async (t) => {
  const app = await edge({ env: { DEV_LOGIN: 'true', AUTH_AUDIENCE: 'chat', AUTH_ISSUER: 'dev' } })
  t.teardown(() => app.close())
  const mint = (payload: object) => app.inject({ method: 'POST', url: '/dev/token', payload })

  const minted = (await mint({ uid: '1000221', client: 'F9FQXGP8FCM5' })).json()
  t.match(minted, { uid: '1000221', client: 'F9FQXGP8FCM5', accessToken: String, expire: Number })
  t.same(Object.keys(minted).sort(), ['accessToken', 'client', 'expire', 'uid'])
  const { payload } = await jwtVerify(minted.accessToken, new TextEncoder().encode(SECRET))
  t.match(payload, { sub: '1000221', client: 'F9FQXGP8FCM5', exp: minted.expire / 1000, aud: 'chat', iss: 'dev' })
  t.ok(minted.expire > Date.now())

  t.match((await mint({ uid: 7 })).json(), { uid: '7' }, 'a number will do')
  const refused = await mint({ uid: 'admin' })
  t.equal(refused.statusCode, 400)
  t.match(refused.json().data, { code: 'BAD_REQUEST', details: { field: 'uid' } })
})

t.test('there are no development tokens unless asked for', async (t) => {
  const app = await edge()
  t.teardown(() => app.close())
  const response = await app.inject({ method: 'POST', url: '/dev/token', payload: { uid: '1000221' } })
  t.equal(response.statusCode, 404)
  t.match(response.json().data, { code: 'UNKNOWN_OPERATION' })
})

t.test('pages of allowed origins may read answers, others not', async (t) => {
  const app = await edge({ env: { ALLOWED_ORIGINS: 'https://app.example' } })
  const dev = await edge({ env: { DEV_LOGIN: 'true' } })
  t.teardown(() => Promise.all([app.close(), dev.close()]))
  const allowed = async (on: typeof app, origin: string) => {
    const headers = { origin, host: 'im.example:8080', 'access-control-request-method': 'POST' }
    const preflight = await on.inject({ method: 'OPTIONS', url: '/chat/group!joinGroup', headers })
    const answer = await on.inject({ method: 'POST', url: '/chat/group!joinGroup', headers, payload: {} })
    t.equal(preflight.headers['access-control-allow-origin'], answer.headers['access-control-allow-origin'])
    t.equal(preflight.statusCode, answer.headers['access-control-allow-origin'] ? 204 : 404)
    return answer.headers['access-control-allow-origin']
  }
  t.equal(await allowed(app, 'https://app.example'), 'https://app.example')
  t.equal(await allowed(app, 'https://im.example:8080'), 'https://im.example:8080', 'its own')
  t.equal(await allowed(app, 'https://evil.example'), undefined)
  t.equal(await allowed(app, 'https://app.example.evil.example'), undefined)
  t.equal(await allowed(app, 'null'), undefined)
  t.equal(await allowed(app, 'http://localhost:5173'), undefined)
  t.equal(await allowed(dev, 'http://localhost:5173'), 'http://localhost:5173', 'in development')
})

t.test('what is no HTTP is answered in the same shape', async (t) => {
  const app = await edge()
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const raw = await new Promise<string>((resolve) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => socket.write('NO HTTP AT ALL\r\n\r\n'))
    socket.on('data', (chunk) => {
      received += chunk
    })
    socket.on('close', () => resolve(received))
  })
  t.match(raw, /^HTTP\/1\.1 400 /)
  const [, body = ''] = raw.split('\r\n\r\n')
  t.strictSame(JSON.parse(body), {
    headers: {},
    data: { success: false, info: '请求格式错误', code: 'BAD_REQUEST' },
  })
})

t.test('a call under way is finished while the server closes', async (t) => {
  const entered = Promise.withResolvers<void>()
  const released = Promise.withResolvers<never>()
  const app = await edge({
    env: { DEV_LOGIN: 'true' },
    bus: {
      request: () => {
        entered.resolve()
        return released.promise
      },
    },
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const post = (path: string, body: unknown) =>
    new Promise<{ data: { success: boolean }; accessToken: string }>((resolve, reject) => {
      const options = { port, path, method: 'POST', headers: { 'content-type': 'application/json' } }
      request(options, async (response) => resolve(JSON.parse(Buffer.concat(await response.toArray()).toString())))
        .on('error', reject)
        .end(JSON.stringify(body))
    })
  const { accessToken } = await post('/dev/token', { uid: 1 })
  const answer = post('/chat/group!groupList', { headers: { uid: 1, accessToken, client: 'F9FQXGP8FCM5' } })
  await entered.promise
  const closed = app.close()
  released.resolve({ groupList: [] } as never)
  t.equal((await answer).data.success, true)
  await closed
})
