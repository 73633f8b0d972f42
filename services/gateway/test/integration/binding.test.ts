import t from 'tap'
import { token } from '../tokens.ts'
import { until } from './rig/client.ts'
import { startRig, textTo } from './rig/gateway-rig.ts'

const rig = await startRig({ env: { BIND_TIMEOUT_MS: '1500' } })
const { gateway, service, bind, connect } = rig
const bearer = async (claims: Record<string, unknown>) => ({ authorization: `Bearer ${await token(claims)}` })

t.test('canConnect is answered before the binding, everything else is NOT_BOUND', async (t) => {
  const client = await connect(gateway)
  client.send('canConnect')
  client.send('queryGroupList', { userId: 1, taskId: 't1' })
  client.send('message', textTo(2, 'm1'))
  client.send('whatever', { taskId: 7 })
  t.equal(await client.next('canConnect'), true)
  await client.next('error', 2)
  const notBound = { code: 1005, info: '连接尚未绑定用户，请先发送getUserId' }
  t.strictSame(client.of('error'), [
    { ...notBound, tag: 'queryGroupList', taskId: 't1' },
    { ...notBound, tag: 'message' },
    { ...notBound, tag: 'whatever', taskId: 7 },
  ])
})

t.test('a binding tells who one is, and is written in Redis and confirmed before', async (t) => {
  const client = await bind(gateway, 201)
  const { userId, sessionKey, serverTime } = await client.next('bound')
  t.equal(userId, 201)
  t.equal(typeof serverTime, 'number')
  t.ok(service.binds.some(({ node, users }) => node === gateway.node && users.includes('201')))
  const redis = await rig.redis()
  t.teardown(() => redis.disconnect())
  const entries = () => redis.hgetall(`${rig.prefix}:presence:{201}`)
  t.same(await entries(), { [sessionKey]: gateway.node })
  client.socket.close()
  await until(async () => Object.keys(await entries()).length === 0, 'the entry to go')
  await until(() => service.unbinds.some(({ users }) => users.includes('201')), 'the unbind')
})

t.test(
  'the token may come in the query, in the handshake header or in getUserId; ids are numbers or digits',
  async (t) => {
    const query = await connect(gateway, { query: `?accessToken=${await token({ sub: '202' })}` })
    query.send('getUserId', { userId: '202' })
    t.match(await query.next('bound'), { userId: 202 })
    const late = await connect(gateway)
    late.send('getUserId', { userId: 202, accessToken: await token({ sub: '202' }) })
    t.match(await late.next('bound'), { userId: 202 })
  },
)

for (const [name, data, code] of [
  ['no token at all', async () => ({ userId: 203 }), 1002],
  ['an expired token', async () => ({ userId: 203, accessToken: await token({ sub: '203', exp: 1000 }) }), 1002],
  [
    'a token by another key',
    async () => ({ userId: 203, accessToken: await token({ sub: '203' }, 'k'.repeat(40)) }),
    1002,
  ],
  ['the token of another user', async () => ({ userId: 203, accessToken: await token({ sub: '204' }) }), 1003],
] as const) {
  t.test(`getUserId with ${name} is refused, and the socket closed 4001`, async (t) => {
    const client = await connect(gateway)
    client.send('getUserId', await data())
    t.match(await client.next('error'), { code, tag: 'getUserId' })
    t.equal(await client.code(), 4001)
    t.same(client.of('bound'), [])
  })
}

t.test('getUserId without a valid id is BAD_REQUEST, and the socket stays', async (t) => {
  const client = await connect(gateway, { headers: await bearer({ sub: '205' }) })
  for (const data of [undefined, {}, { userId: 0 }, { userId: { $ne: 1 } }, { userId: 1.5 }, { userId: 'x' }, 'y', []])
    client.send('getUserId', data)
  await client.next('error', 7)
  t.same(
    client.of('error').map(({ code }) => code),
    Array(8).fill(1001),
  )
  client.send('getUserId', { userId: 205 })
  t.match(await client.next('bound'), { userId: 205 })
})

t.test('a handshake with a token that is not good, or from a page of another origin, is refused as HTTP', async (t) => {
  const UNAUTHENTICATED = { code: 'UNAUTHENTICATED', info: '登录已失效，请重新登录' }
  for (const options of [
    { headers: { authorization: 'Bearer nonsense' } },
    { headers: { authorization: 'Basic abc' } },
    { query: '?accessToken=' },
    { query: `?accessToken=${await token({ exp: 1000 })}` },
  ]) {
    const { refused } = await connect(gateway, options)
    t.equal(refused?.status, 401)
    t.equal(refused?.headers['x-content-type-options'], 'nosniff')
    t.strictSame(JSON.parse(refused?.body ?? ''), { headers: {}, data: { success: false, ...UNAUTHENTICATED } })
  }
  const foreign = await connect(gateway, { origin: 'https://evil.example', headers: await bearer({}) })
  t.equal(foreign.refused?.status, 403)
  t.equal(foreign.refused?.headers['x-content-type-options'], 'nosniff')
  t.match(JSON.parse(foreign.refused?.body ?? ''), { data: { success: false, code: 'FORBIDDEN' } })
  const own = await connect(gateway, { origin: gateway.url })
  t.equal(own.refused, undefined)
})

t.test('what is no handshake is a path that does not exist', async (t) => {
  const response = await fetch(`${gateway.url}/ws`)
  t.equal(response.status, 404)
  t.match(await response.json(), { headers: {}, data: { success: false, code: 'UNKNOWN_OPERATION' } })
})

t.test('a handshake at another path is answered as if it were none, and its socket closed', async (t) => {
  const { refused } = await connect(gateway, { at: '/canConnect' })
  t.equal(refused?.status, 200)
  t.equal(refused?.body, 'true')
  t.equal(refused?.headers.connection, 'close')
  const nowhere = await connect(gateway, { at: '/ws/more' })
  t.equal(nowhere.refused?.status, 404)
  t.match(JSON.parse(nowhere.refused?.body ?? ''), { data: { success: false, code: 'UNKNOWN_OPERATION' } })
})

t.test('a gateway that is full says so, and takes nobody until there is room', async (t) => {
  const small = await rig.startGateway({ MAX_CONNECTIONS: '1' })
  const canConnect = async () => (await (await fetch(`${small.url}/canConnect`)).text()) === 'true'
  t.equal(await canConnect(), true)
  const first = await bind(small, 220)
  t.equal(await canConnect(), false)
  first.send('canConnect')
  t.equal(await first.next('canConnect'), false)
  const second = await connect(small)
  t.equal(second.refused?.status, 503)
  first.socket.close()
  await until(canConnect, 'room')
  await bind(small, 221)
})

t.test('whoever does not bind in time is closed 4001', async (t) => {
  const client = await connect(gateway)
  t.equal(await client.code(), 4001)
})

t.test('a bound socket is closed 4002 when its token expires, and a newer token puts it off', async (t) => {
  const soon = Math.floor(Date.now() / 1000) + 3
  const bindUntil = async (userId: number) => {
    const client = await connect(gateway, { headers: await bearer({ sub: String(userId), exp: soon }) })
    client.send('getUserId', { userId, sync: true })
    await client.next('bound')
    return client
  }
  const [lapses, extended] = [await bindUntil(206), await bindUntil(207)]
  extended.send('getUserId', { userId: 207, accessToken: await token({ sub: '207' }) })
  t.match(await extended.next('bound', 1), { userId: 207 })
  t.equal(await lapses.code(), 4002)
  t.ok(Date.now() >= soon * 1000)
  await extended.settled()
  t.equal(extended.closed, undefined)
})

t.test('on a bound socket a refused getUserId changes nothing', async (t) => {
  const client = await bind(gateway, 208)
  client.send('getUserId', { userId: 209 })
  client.send('getUserId', { userId: 209, accessToken: await token({ sub: '209' }) })
  client.send('getUserId', {})
  t.match(await client.next('error', 2), { code: 1001 })
  client.send('getUserId', { userId: 208, accessToken: 'nonsense' })
  t.match(await client.next('error', 3), { code: 1002 })
  client.send('getUserId', { userId: 208, accessToken: await token({ sub: '209' }) })
  t.match(await client.next('error', 4), { code: 1003 })
  t.same(
    client.of('error').map(({ code }) => code),
    [1003, 1003, 1001, 1002, 1003],
  )
  client.send('getUserId', { userId: 208 })
  t.match(await client.next('bound', 1), { userId: 208 })
})

t.test('frames right behind getUserId wait for the binding and are handled in order', async (t) => {
  service.silentToBinds = true
  const client = await connect(gateway, { headers: await bearer({ sub: '210' }) })
  client.send('getUserId', { userId: 210, sync: true })
  for (let i = 0; i < 150; i++) client.send('unknown', { taskId: i })
  client.send('canConnect')
  await client.next('canConnect')
  service.silentToBinds = false
  t.same(
    client.frames.map(({ tag, data }) => (tag === 'error' ? data.taskId : tag)),
    ['bound', ...Array.from({ length: 150 }, (_, i) => i), 'canConnect'],
  )
})

t.test('more than may wait behind getUserId is refused, the rest is not lost', async (t) => {
  service.silentToBinds = true
  const client = await connect(gateway, { headers: await bearer({ sub: '211' }) })
  client.send('getUserId', { userId: 211, sync: true })
  for (let i = 0; i < 199; i++) client.send('unknown', { taskId: i })
  client.send('unknown', { taskId: 'the last to wait' })
  client.send('unknown', { taskId: 'too many' })
  t.match(await client.next('error', 0), { code: 1007, taskId: 'too many' })
  t.match(await client.next('error', 200), { code: 1004, taskId: 'the last to wait' })
  service.silentToBinds = false
})

t.test('an instance that does not confirm holds a binding up for a moment only, and is told again', async (t) => {
  service.silentToBinds = true
  await bind(gateway, 212)
  const told = () => service.binds.filter(({ users }) => users.includes('212')).length
  const before = told()
  await until(() => told() > before, 'the repeat')
  service.silentToBinds = false
  const after = told()
  await until(() => told() > after, 'the confirmed one')
  await bind(gateway, 213)
  t.equal(told(), after + 1)
})

t.test('an instance that leaves has to confirm a binding, too: it still sends out what it has taken', async (t) => {
  const leaver = await rig.startService('leaver')
  const known = await bind(gateway, 240)
  await until(() => leaver.binds.some(({ users }) => users.includes('240')), 'the leaver to be told')
  leaver.silentToBinds = true
  leaver.leave()
  await known.settled()
  await bind(gateway, 241)
  const told = () => leaver.binds.filter(({ users }) => users.includes('241')).length
  t.ok(told() > 0)
  await until(() => told() > 1, 'it to be told again, as it has not confirmed')
  await leaver.stop()
})
