import type { MsgModel } from '@qunxin/contracts'
import t from 'tap'
import { token } from '../tokens.ts'
import { startRig } from './rig/gateway-rig.ts'
import { startTcpProxy } from './rig/tcp-proxy.ts'

const proxy = await startTcpProxy(process.env.QUNXIN_TEST_NATS_URL ?? 'nats://127.0.0.1:4222')
const { gateway, service, bind, connect } = await startRig({ natsUrl: proxy.url })
const { node } = gateway
t.teardown(() => proxy.stop())

const HOUR_MS = 3_600_000
/** So long a network that swallows everything may go unnoticed. */
const LATE_MS = 30_000
const log: MsgModel[] = []
let reading = Promise.withResolvers<void>()
let release = Promise.resolve()
service.serve({
  'message.backlog': async ({ userId }) => {
    reading.resolve()
    await release
    return { messages: log.filter(({ toUserId }) => String(toUserId) === userId) }
  },
})
await service.bus.flush()

const say = (fromUserId: number, toUserId: number, seq: number, serverReceiveDate = Date.now()): MsgModel => {
  const content = { contentStr: 'hello', msgId: `m${seq}`, msgContentType: 1, sessionId: '', state: 1 as const }
  const message: MsgModel = { fromUserId, toUserId, seq, serverReceiveDate, ...content }
  log.push(message)
  return message
}
const deliver = (message: MsgModel) => {
  const conversation = `p${message.toUserId}-${message.fromUserId}`
  service.deliver(node, [{ message, to: { users: [String(message.toUserId)], conversation } }])
}
const shown = (client: { of(tag: string): MsgModel[] }) =>
  client.of('message').map(({ fromUserId, seq }) => `${fromUserId}:${seq}`)

t.beforeEach(() => {
  log.length = 0
  reading = Promise.withResolvers()
  release = Promise.resolve()
})

t.test('what was said while NATS was away arrives when it is back, once and in order', async (t) => {
  say(703, 701, 1, Date.now() - HOUR_MS)
  const [synced, seedsOnly] = [await bind(gateway, 701), await bind(gateway, 701, { sync: false })]
  await seedsOnly.next('message')
  const { promise, resolve } = Promise.withResolvers<void>()
  release = promise
  reading = Promise.withResolvers()
  deliver(say(702, 701, 1))
  await Promise.all([synced.next('message'), seedsOnly.next('message', 1)])
  proxy.cut()
  const missed = [say(702, 701, 2, Date.now() - LATE_MS), say(702, 701, 3), say(704, 701, 8)]
  for (const message of missed) deliver(message)
  await service.bus.flush()
  proxy.mend()
  await reading.promise
  deliver(say(704, 701, 9))
  deliver(say(702, 701, 4))
  await synced.settled()
  t.same(shown(synced), ['702:1'])
  resolve()
  await Promise.all([synced.next('message', 5), seedsOnly.next('message', 6)])
  const [from702, from704] = [
    ['702:1', '702:2', '702:3', '702:4'],
    ['704:8', '704:9'],
  ]
  for (const client of [synced, seedsOnly]) {
    t.same(
      shown(client).filter((one) => one.startsWith('702')),
      from702,
    )
    t.same(
      shown(client).filter((one) => one.startsWith('704')),
      from704,
    )
  }
  t.notOk(shown(synced).includes('703:1'), 'what is older than the loss is not news to who has synced')
})

t.test('what was said while this process stood still arrives when it goes on', async (t) => {
  const client = await bind(gateway, 711)
  deliver(say(712, 711, 1))
  await client.next('message')
  say(713, 711, 4, Date.now() - HOUR_MS)
  say(712, 711, 2)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000)
  await client.next('message', 1)
  t.same(shown(client), ['712:1', '712:2'])
})

t.test('what was said while NATS was away arrives too at a client that is still reading its backlog', async (t) => {
  for (let seq = 1; seq <= 500; seq++) say(722, 721, seq).contentStr = '长'.repeat(20_000)
  const client = await connect(gateway, { headers: { authorization: `Bearer ${await token({ sub: '721' })}` } })
  client.send('getUserId', { userId: 721 })
  await client.next('message', 3)
  client.socket.pause()
  await bind(gateway, 723)
  proxy.cut()
  say(724, 721, 1)
  proxy.mend()
  const other = await bind(gateway, 723)
  deliver(say(725, 723, 1))
  await other.next('message')
  client.socket.resume()
  await client.next('message', 500)
  t.same(shown(client).slice(499), ['722:500', '724:1'])
})
