import { Agent, request } from 'node:http'
import type { GatewayControl, GatewayInstance, SendBatch } from '@qunxin/contracts'
import t from 'tap'
import type { Gateway } from '../../src/service.ts'
import { token } from '../tokens.ts'
import { until } from './rig/client.ts'
import { startRig, textTo } from './rig/gateway-rig.ts'

const rig = await startRig()
const { service, bind, connect } = rig

const store = ({ node, sends }: SendBatch) =>
  service.answer(
    node,
    sends.map(({ id }, i) => ({ id, seq: id + i, at: id + i })),
  )
const sent = (msgId: string) => service.batches.flatMap(({ sends }) => sends).find((send) => send.msgId === msgId)
const answer = ({ node }: Gateway, msgId: string) => service.answer(node, [{ id: sent(msgId)?.id ?? 0, seq: 1, at: 1 }])

t.beforeEach(() => {
  service.onBatch = () => {}
})

t.test(
  'a gateway that stops answers what was sent before and meanwhile, and sends whoever comes elsewhere',
  async (t) => {
    const stopping = await rig.startGateway()
    const [sender, idle] = await Promise.all([bind(stopping, 311), bind(stopping, 312)])
    const unbound = await connect(stopping)
    sender.send('message', textTo(312, 'm1'))
    await until(() => sent('m1') !== undefined, 'the send')

    const stopped = stopping.stop()
    t.equal(await (await fetch(`${stopping.url}/canConnect`)).json(), false)
    t.equal((await fetch(`${stopping.opsUrl}/readyz`)).status, 503)
    t.same(await Promise.all([idle.code(), unbound.code()]), [1001, 1001])
    sender.send('canConnect')
    t.equal(await sender.next('canConnect'), false)
    sender.send('message', textTo(312, 'm2'))
    const late = await connect(stopping)
    t.equal(await late.code(), 1001)
    t.equal(late.refused, undefined)

    await sender.settled()
    service.onBatch = store
    answer(stopping, 'm1')
    t.match(await sender.next('messageAck', 0), { msgId: 'm1', seq: 1 })
    t.match(await sender.next('messageAck', 1), { msgId: 'm2', state: 1 })
    t.equal(await sender.code(), 1001)
    await stopped
  },
)

t.test('what a client sent before it heard of the closing is stored, though nobody can be told', async (t) => {
  const stopping = await rig.startGateway()
  const client = await bind(stopping, 313, { sync: false })
  client.socket.pause()
  const stopped = stopping.stop()
  const redis = await rig.redis()
  t.teardown(() => redis.disconnect())
  await until(async () => (await redis.exists(`${rig.prefix}:presence:{313}`)) === 0, 'the connection to be closed')
  service.onBatch = store
  client.send('message', textTo(314, 'on-the-wire'))
  await until(() => sent('on-the-wire') !== undefined, 'the send')
  client.socket.resume()
  t.equal(await client.code(), 1001)
  t.same(client.of('messageAck'), [])
  await stopped
})

t.test(
  'of a user who is revoked meanwhile nothing more is taken, also from a connection that was sent away',
  async (t) => {
    const stopping = await rig.startGateway()
    const [sentAway, sender, other] = await Promise.all([bind(stopping, 321), bind(stopping, 321), bind(stopping, 322)])
    sender.send('message', textTo(323, 'keeps-321-up'))
    other.send('message', textTo(323, 'keeps-322-up'))
    await until(() => sent('keeps-321-up') !== undefined && sent('keeps-322-up') !== undefined, 'the sends')
    sentAway.socket.pause()
    const redis = await rig.redis()
    t.teardown(() => redis.disconnect())
    const stopped = stopping.stop()
    await until(async () => (await redis.hlen(`${rig.prefix}:presence:{321}`)) === 1, 'the connection to be closed')

    const order: GatewayControl = { kind: 'revoke', userId: '321', notBefore: Date.now() }
    service.bus.publish('gateway.all.control', JSON.stringify(order))
    t.equal(await sender.code(), 4003)
    sentAway.send('message', textTo(323, 'after'))
    sentAway.socket.resume()
    t.equal(await sentAway.code(), 1001)
    service.onBatch = store
    for (const msgId of ['keeps-321-up', 'keeps-322-up']) answer(stopping, msgId)
    t.equal(await other.code(), 1001)
    await stopped
    t.notOk(sent('after'))
  },
)

t.test('a client whose send is not answered is not waited for longer than the sends of a stop may take', async (t) => {
  const stopping = await rig.startGateway()
  const client = await bind(stopping, 315)
  client.send('message', textTo(316, 'never-answered'))
  await until(() => sent('never-answered') !== undefined, 'the send')
  const stopped = stopping.stop()
  t.equal(await client.code(), 1001)
  t.same(client.of('messageAck'), [], 'it sends it again elsewhere')
  await stopped
})

t.test('requests of HTTP under way are answered as they would be, and told that their connection ends', async (t) => {
  const stopping = await rig.startGateway()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const canConnect = () =>
    new Promise<{ connection: string | undefined; body: string }>((resolve, reject) => {
      request(`${stopping.url}/canConnect`, { agent }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('end', () =>
          resolve({ connection: response.headers.connection, body: Buffer.concat(chunks).toString() }),
        )
      })
        .on('error', reject)
        .end()
    })
  t.same(await canConnect(), { connection: 'keep-alive', body: 'true' })
  const body = { headers: { uid: '1000221', accessToken: await token() }, data: textTo(8, 'by-HTTP') }
  const underWay = fetch(`${stopping.url}/chat/chat!sendMessage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  await until(() => sent('by-HTTP') !== undefined, 'the send')
  // Somebody whose send waits keeps the gateway from being through at once.
  const client = await bind(stopping, 317)
  client.send('message', textTo(318, 'keeps-it-up'))
  await until(() => sent('keeps-it-up') !== undefined, 'the send')

  const stopped = stopping.stop()
  t.same(await canConnect(), { connection: 'close', body: 'false' })
  answer(stopping, 'by-HTTP')
  const answered = await underWay
  t.equal(answered.status, 200)
  t.equal(answered.headers.get('connection'), 'close')
  t.match(await answered.json(), { data: { success: true, seq: 1 } })
  answer(stopping, 'keeps-it-up')
  t.equal(await client.code(), 1001)
  await stopped
  await t.rejects(fetch(`${stopping.url}/canConnect`))
})

t.test('connections are closed share by share; the last goes before the gateway says that it leaves', async (t) => {
  const stopping = await rig.startGateway()
  const said: GatewayInstance[] = []
  service.bus.subscribe('instances.gateway', (message) => void said.push(message.json()))
  const left = () => said.some(({ node, leaving }) => node === stopping.node && leaving)
  const clients = await Promise.all(Array.from({ length: 120 }, (_, i) => bind(stopping, 400 + i)))
  const closed = () => clients.filter((client) => client.closed !== undefined).length
  const shares = new Set<number>()
  for (const client of clients)
    client.socket.on('close', () => {
      shares.add(Math.ceil(closed() / 50))
      if (left()) t.fail('it was said to leave while it still had connections')
    })
  const stopped = stopping.stop()
  await until(() => closed() > 0, 'the first to be closed')
  t.ok(closed() <= 50)
  const last = clients.find((client) => client.closed === undefined)
  service.push(stopping.node, [String(400 + clients.indexOf(last!))], 'still here', {})
  await last!.next('still here')
  await stopped
  t.equal(closed(), 120)
  t.ok(clients.every((client) => client.closed === 1001))
  await until(left, 'the last announcement')
  const redis = await rig.redis()
  t.teardown(() => redis.disconnect())
  const left400 = await Promise.all(clients.map((_, i) => redis.exists(`${rig.prefix}:presence:{${400 + i}}`)))
  t.ok(
    left400.every((there) => there === 0),
    'nothing of them is left in Redis',
  )
  t.equal(await redis.exists(`${rig.prefix}:node:${stopping.node}`), 0)
})
