import type { GatewayInstance } from '@qunxin/contracts'
import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import { readConfig } from '../../src/config.ts'
import { type Gateway, startGateway } from '../../src/service.ts'
import { SECRET, token } from '../tokens.ts'
import { until } from './rig/client.ts'
import { startRig, textTo } from './rig/gateway-rig.ts'

const natsUrl = process.env.QUNXIN_TEST_NATS_URL ?? 'nats://127.0.0.1:4222'
const redisUrl = process.env.QUNXIN_TEST_REDIS_URL ?? 'redis://127.0.0.1:6379'
const logger = createLogger('test', 'silent')
const rig = await startRig()

const configFor = (url: string) =>
  readConfig({
    NATS_URL: url,
    REDIS_URL: redisUrl,
    REDIS_PREFIX: `${rig.prefix}:`,
    SUBJECT_PREFIX: rig.prefix,
    AUTH_SECRET: SECRET,
    PARTITIONS: '8',
    HOST: '127.0.0.1',
    PORT: '0',
    OPS_PORT: '0',
  })
const ready = async (gateway: Gateway) => (await fetch(`${gateway.opsUrl}/readyz`)).status
const canConnect = async (gateway: Gateway) => (await fetch(`${gateway.url}/canConnect`)).json()

t.test('it says that it lives, and at the end that it leaves', async (t) => {
  const said: GatewayInstance[] = []
  rig.service.bus.subscribe('instances.gateway', (message) => void said.push(message.json()))
  await rig.service.bus.flush()
  const gateway = await startGateway(configFor(natsUrl), { logger })
  const ofThis = () => said.filter(({ node }) => node === gateway.node)
  await until(() => ofThis().length >= 2, 'two announcements')
  t.ok(ofThis().every(({ leaving }) => !leaving))
  await gateway.stop()
  await until(() => ofThis().some(({ leaving }) => leaving), 'the last announcement')
})

t.test('many run on one machine, each a node of its own', async (t) => {
  const gateways = await Promise.all([1, 2, 3].map(() => rig.startGateway()))
  t.equal(new Set(gateways.map(({ url }) => url)).size, 3)
  t.equal(new Set(gateways.map(({ node }) => node)).size, 3)
  for (const gateway of gateways) t.equal(await canConnect(gateway), true)
})

t.test('it waits for NATS, and is stopped while it waits', async (t) => {
  const proxy = await startTcpProxy(natsUrl)
  t.teardown(() => proxy.stop())
  proxy.cut()
  const aborted = new AbortController()
  const stopped = startGateway(configFor(proxy.url), { logger, signal: aborted.signal })
  setImmediate(() => aborted.abort())
  await t.rejects(stopped)

  const starting = startGateway(configFor(proxy.url), { logger })
  proxy.mend()
  const gateway = await starting
  t.equal(await ready(gateway), 200)

  proxy.cut()
  await until(async () => (await ready(gateway)) === 503, 'not ready without NATS')
  proxy.mend()
  await until(async () => (await ready(gateway)) === 200, 'ready again')
  await gateway.stop()
})

t.test('a stop answers what is under way, takes nobody new, and leaves nothing open', async (t) => {
  const gateway = await startGateway(configFor(natsUrl), { logger })
  const accessToken = await token()
  const answered = fetch(`${gateway.url}/chat/chat!sendMessage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ headers: { uid: '1000221', accessToken }, data: textTo(8, 'last') }),
  })
  await until(() => rig.service.sends.some(({ msgId }) => msgId === 'last'), 'the send')
  const client = await rig.bind(gateway, 1000221)
  const stopped = gateway.stop()
  t.equal(await canConnect(gateway), false)
  t.equal(await ready(gateway), 503)

  const { node } = gateway
  const id = rig.service.sends.find(({ msgId }) => msgId === 'last')?.id ?? 0
  rig.service.answer(node, [{ id, seq: 1, at: 1 }])
  const body = (await (await answered).json()) as { data: unknown }
  t.match(body.data, { success: true, seq: 1 })
  t.equal(await client.code(), 1001)
  await stopped
  await t.rejects(fetch(`${gateway.url}/canConnect`))
})

t.test('a taken port is said and leaves nothing behind', async (t) => {
  const { port } = new URL(rig.gateway.url)
  await t.rejects(startGateway({ ...configFor(natsUrl), PORT: Number(port) }, { logger }), { code: 'EADDRINUSE' })
})
