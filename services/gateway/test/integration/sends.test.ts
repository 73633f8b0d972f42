import { setTimeout as delay } from 'node:timers/promises'
import type { SendAnswer, SendBatch } from '@qunxin/contracts'
import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import t from 'tap'
import { token } from '../tokens.ts'
import { until } from './rig/client.ts'
import { startRig, textTo } from './rig/gateway-rig.ts'

const proxy = await startTcpProxy(process.env.QUNXIN_TEST_NATS_URL ?? 'nats://127.0.0.1:4222')
const rig = await startRig({ natsUrl: proxy.url, env: { SEND_TIMEOUT_MS: '3000', RATE_LIMITS: 'off' } })
const { gateway, service, bind } = rig
t.teardown(() => proxy.stop())

let seq = 0
const stored = (batch: SendBatch): SendAnswer[] => batch.sends.map(({ id }) => ({ id, seq: ++seq, at: seq }))
const answerAll = (batch: SendBatch) => service.answer(batch.node, stored(batch))
const numbersOf = (msgId: string) =>
  service.batches.filter(({ sends }) => sends.some((send) => send.msgId === msgId)).map(({ batch }) => batch)

t.beforeEach(() => {
  service.onBatch = () => {}
  service.batches.length = 0
})

t.test('while a batch is unanswered what arrives gathers, and goes out as one batch behind it', async (t) => {
  const alice = await bind(gateway, 101)
  alice.send('message', textTo(102, 'first'))
  await until(() => service.batches.length > 0, 'the first batch')
  for (let i = 0; i < 20; i++) alice.send('message', textTo(102, `m${i}`))
  await alice.settled()
  t.same(new Set(service.batches.map(({ batch }) => batch)).size, 1, 'nothing new before the answer')
  service.onBatch = answerAll
  answerAll(service.batches[0]!)
  await alice.next('messageAck', 20)
  const rest = service.batches.filter(({ sends }) => sends.length > 1)
  t.same(
    rest[0]?.sends.map(({ msgId }) => msgId),
    Array.from({ length: 20 }, (_, i) => `m${i}`),
  )
  t.same(
    alice.of('messageAck').map(({ msgId }) => msgId),
    ['first', ...Array.from({ length: 20 }, (_, i) => `m${i}`)],
  )
})

t.test('a batch without an answer is published again, unchanged', async (t) => {
  const alice = await bind(gateway, 111)
  alice.send('message', textTo(112, 'again'))
  await until(() => service.batches.length >= 2, 'the repeat')
  t.same(service.batches[1], service.batches[0])
  answerAll(service.batches[0]!)
  t.match(await alice.next('messageAck'), { msgId: 'again', state: 1 })
})

t.test('a batch to an owner that died goes to its successor, and is acknowledged (interleaving 1)', async (t) => {
  const alice = await bind(gateway, 121)
  service.leave()
  alice.send('message', textTo(122, 'orphan'))
  await until(() => service.batches.length > 0, 'the batch nobody answers')
  const successor = await rig.startService('ms-2')
  successor.onBatch = (batch) => successor.answer(batch.node, stored(batch))
  t.match(await alice.next('messageAck'), { msgId: 'orphan', state: 1 })
  t.same(new Set(numbersOf('orphan')).size, 1, 'always under its first number')
  await successor.stop()
  service.live()
})

t.test('what a paused owner still has in its queue is answered once, in order (interleaving 2)', async (t) => {
  const alice = await bind(gateway, 131)
  alice.send('message', textTo(132, 'm1'))
  await until(() => service.batches.length > 0, 'm1 at the owner that stands still')
  const sleeping = service.batches[0]!
  alice.send('message', textTo(132, 'm2'))
  await alice.settled()
  const next = await rig.startService('ms-3')
  next.onBatch = (batch) => next.answer(batch.node, stored(batch))
  await alice.next('messageAck', 1)
  service.answer(sleeping.node, [{ id: sleeping.sends[0]!.id, seq: 999_999, at: 1 }])
  await service.bus.flush()
  await alice.settled()
  const acks = alice.of('messageAck')
  t.same(
    acks.map(({ msgId }) => msgId),
    ['m1', 'm2'],
  )
  t.ok(acks[0].seq < acks[1].seq)
  t.same(
    next.sends.map(({ msgId }) => msgId),
    ['m1', 'm2'],
  )
  await next.stop()
})

t.test(
  'a send that times out takes along what waits behind it, so that resends keep the order (interleaving 3)',
  async (t) => {
    const [alice, device] = await Promise.all([bind(gateway, 141), bind(gateway, 141)])
    alice.send('message', textTo(142, 'm1'))
    await until(() => service.batches.length > 0, 'm1 at an owner that never answers')
    alice.send('message', textTo(142, 'm2'))
    await alice.settled()
    await until(() => service.batches.length > 2, 'repeats of m1')
    device.send('message', textTo(142, 'other'))
    const [first, second] = [await alice.next('messageAck', 0), await alice.next('messageAck', 1)]
    t.match(first, { msgId: 'm1', code: 5003, info: '请求超时，请稍后再试' })
    t.match(second, { msgId: 'm2', code: 5003 })
    t.same(numbersOf('m2'), [], 'm2 was never published')
    service.onBatch = answerAll
    alice.send('message', textTo(142, 'm1'))
    alice.send('message', textTo(142, 'm2'))
    await alice.next('messageAck', 3)
    const acks = alice.of('messageAck').slice(2)
    t.same(
      acks.map(({ msgId }) => msgId),
      ['m1', 'm2'],
    )
    t.ok(acks[0].seq < acks[1].seq)
    t.match(await device.next('messageAck'), { msgId: 'other', state: 1 }, 'another connection loses nothing by it')
  },
)

t.test('what was on the wire behind a refused send is refused too, until the refused one comes again', async (t) => {
  const alice = await bind(gateway, 145)
  alice.send('message', textTo(146, 'm1'))
  await until(() => service.batches.length > 0, 'm1')
  const { node, sends } = service.batches[0]!
  service.onBatch = answerAll
  service.answer(node, [{ id: sends[0]!.id, code: 'UNAVAILABLE' }])
  await alice.next('messageAck', 0)
  for (const msgId of ['m2', 'm3', 'm1', 'm2', 'm3']) alice.send('message', textTo(146, msgId))
  alice.send('message', textTo(147, 'elsewhere'))
  await alice.next('messageAck', 6)
  const acks = alice.of('messageAck').filter(({ msgId }) => msgId !== 'elsewhere')
  t.same(
    acks.map(({ msgId, code }) => [msgId, code]),
    [
      ['m1', 5002],
      ['m2', 5002],
      ['m3', 5002],
      ['m1', undefined],
      ['m2', undefined],
      ['m3', undefined],
    ],
  )
  t.ok(acks[3].seq < acks[4].seq && acks[4].seq < acks[5].seq, 'stored in the order of the resends')
})

t.test('… and that for as long as the network keeps the refusal from the client', async (t) => {
  const alice = await bind(gateway, 148, { autoPong: false })
  const pings: Buffer[] = []
  alice.socket.on('ping', (data) => pings.push(data))
  alice.send('message', textTo(149, 'm1'))
  await until(() => service.batches.length > 0, 'm1')
  const { node, sends } = service.batches[0]!
  service.onBatch = answerAll
  service.answer(node, [{ id: sends[0]!.id, code: 'UNAVAILABLE' }])
  await alice.next('messageAck', 0)
  await until(() => pings.length > 0, 'a ping behind the refusal')
  // Longer than a client has to act on a refusal it knows of.
  await delay(1_100)
  alice.send('message', textTo(149, 'm2'))
  t.match(await alice.next('messageAck', 1), { msgId: 'm2', code: 5002 })
  alice.socket.pong(pings[0])
  let tries = 0
  const accepted = async () => {
    alice.send('message', textTo(149, `m3-${tries}`))
    return (await alice.next('messageAck', 2 + tries++)).seq !== undefined
  }
  await until(accepted, 'the row to open for a client that has given m1 up')
  t.pass('it is heard again')
})

t.test('what found no room behind getUserId is not overtaken by what comes after the binding', async (t) => {
  service.onBatch = answerAll
  service.silentToBinds = true
  const headers = { authorization: `Bearer ${await token({ sub: '155' })}` }
  // Without pongs nothing but the resend opens the row.
  const alice = await rig.connect(gateway, { headers, autoPong: false })
  alice.send('getUserId', { userId: 155, sync: true })
  for (let i = 0; i < 199; i++) alice.send('canConnect')
  for (const msgId of ['m1', 'm2', 'm3']) alice.send('message', textTo(156, msgId))
  alice.send('message', textTo(0, 'to-a-group', { sessionId: '77' }))
  await alice.next('messageAck', 3)
  service.silentToBinds = false
  t.equal(alice.frames[3]?.tag, 'bound', 'it did come behind the refusals')
  for (const msgId of ['m4', 'm2', 'm3', 'm4']) alice.send('message', textTo(156, msgId))
  alice.send('message', textTo(0, 'too-early', { sessionId: '77' }))
  alice.send('message', textTo(157, 'elsewhere'))
  await alice.next('messageAck', 9)
  const acks = alice.of('messageAck')
  t.same(
    acks.filter(({ code }) => code !== undefined).map(({ msgId, code }) => [msgId, code]),
    ['m2', 'm3', 'to-a-group', 'm4', 'too-early'].map((msgId) => [msgId, 1007]),
  )
  const accepted = acks.filter(({ peerUserId }) => peerUserId === 156).sort((one, other) => one.seq - other.seq)
  t.same(
    accepted.map(({ msgId }) => msgId),
    ['m1', 'm2', 'm3', 'm4'],
  )
})

t.test('a refusal for now takes along the later sends of its row only', async (t) => {
  const alice = await bind(gateway, 151)
  alice.send('message', textTo(152, 'm1'))
  await until(() => service.batches.length > 0, 'm1')
  const { node, sends } = service.batches[0]!
  alice.send('message', textTo(152, 'm2'))
  alice.send('message', textTo(153, 'elsewhere'))
  await alice.settled()
  service.onBatch = answerAll
  service.answer(node, [{ id: sends[0]!.id, code: 'UNAVAILABLE' }])
  await alice.next('messageAck', 2)
  t.match(
    new Map(alice.of('messageAck').map((ack) => [ack.msgId, ack.code])),
    new Map([
      ['m1', 5002],
      ['m2', 5002],
      ['elsewhere', undefined],
    ]),
  )
})

t.test('a refusal for good leaves what follows alone', async (t) => {
  const alice = await bind(gateway, 161)
  service.onBatch = ({ node, sends }) =>
    service.answer(
      node,
      sends.map(({ id, msgId }) => (msgId === 'm1' ? { id, code: 'MSG_ID_REUSED' } : { id, seq: ++seq, at: seq })),
    )
  alice.send('message', textTo(162, 'm1'))
  alice.send('message', textTo(162, 'm2'))
  t.match(await alice.next('messageAck', 0), { msgId: 'm1', code: 3002 })
  t.match(await alice.next('messageAck', 1), { msgId: 'm2', state: 1 })
})

t.test('while NATS is away a send waits, and goes out when it is back', async (t) => {
  const alice = await bind(gateway, 171)
  service.onBatch = answerAll
  proxy.cut()
  alice.send('message', textTo(172, 'patient'))
  await alice.settled()
  t.same(service.batches, [])
  proxy.mend()
  t.match(await alice.next('messageAck'), { msgId: 'patient', state: 1 })
})

t.test('a binding made while NATS is away is told to message-service when it is back', async (t) => {
  proxy.cut()
  await bind(gateway, 191)
  t.notOk(service.binds.some(({ users }) => users.includes('191')))
  proxy.mend()
  await until(() => service.binds.some(({ users }) => users.includes('191')), 'the bind')
})

t.test('sendMessage by HTTP goes the same way', async (t) => {
  const given: number[] = []
  service.onBatch = (batch) => {
    answerAll(batch)
    given.push(seq)
  }
  const headers = { uid: '181', accessToken: await token({ sub: '181' }) }
  const response = await fetch(`${gateway.url}/chat/chat!sendMessage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ headers, data: textTo(182, 'by-http') }),
  })
  // On a slow machine the batch is repeated and answered twice: the first answer is the one that counts.
  t.match(await response.json(), { data: { success: true, msgId: 'by-http', seq: given[0] } })
  t.match(service.sends.at(-1), { conn: '', from: '181', to: '182' })
})
