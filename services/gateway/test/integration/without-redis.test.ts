import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import t from 'tap'
import { startRig, textTo } from './rig/gateway-rig.ts'

const redisUrl = process.env.QUNXIN_TEST_REDIS_URL ?? 'redis://127.0.0.1:6379'
const proxy = await startTcpProxy(redisUrl)
t.teardown(() => proxy.stop())
proxy.cut()
const rig = await startRig()
const { service, bind, until } = rig
const gateway = await rig.startGateway({ REDIS_URL: proxy.url })
const redis = await rig.redis()
t.teardown(() => redis.disconnect())
const entries = (user: number) => redis.hgetall(`${rig.prefix}:presence:{${user}}`)

t.test('a gateway that starts before Redis is ready, binds users and tells message-service of them', async (t) => {
  t.equal((await fetch(`${gateway.opsUrl}/readyz`)).status, 200)
  const client = await bind(gateway, 401)
  t.ok(service.binds.some(({ node, users }) => node === gateway.node && users.includes('401')))
  client.send('message', textTo(402, 'm1'))
  await until(() => service.sends.some(({ msgId }) => msgId === 'm1'), 'the send')
  t.same(await entries(401), {})
})

t.test('its sockets are written once Redis is there, and again after it was away', async (t) => {
  const gone = await bind(gateway, 403)
  gone.socket.close()
  await until(() => service.unbinds.some(({ users }) => users.includes('403')), 'the unbind')
  const { sessionKey } = await (await bind(gateway, 404)).next('bound')
  proxy.mend()
  await until(async () => (await redis.exists(`${rig.prefix}:node:${gateway.node}`)) === 1, 'the node vouches')
  t.same(await entries(404), { [sessionKey]: gateway.node })
  t.same(await entries(403), {})

  proxy.cut()
  const during = await bind(gateway, 405)
  proxy.mend()
  const expected = { [(await during.next('bound')).sessionKey]: gateway.node }
  await until(async () => JSON.stringify(await entries(405)) === JSON.stringify(expected), 'the entry')
})
