import type { SendAnswer, SendBatch } from '@qunxin/contracts'
import t from 'tap'
import { until } from './rig/client.ts'
import { startRig, textTo } from './rig/gateway-rig.ts'

const rig = await startRig({ env: { RATE_LIMITS: 'off' } })
const { gateway, service, bind } = rig
const LONG = 'x'.repeat(20_000)

let seq = 0
const stored = ({ sends }: SendBatch): SendAnswer[] => sends.map(({ id }) => ({ id, seq: ++seq, at: seq }))
const answerAll = (batch: SendBatch) => service.answer(batch.node, stored(batch))
const metric = async (opsUrl: string, name: string) => {
  const text = await (await fetch(`${opsUrl}/metrics`)).text()
  return Number(text.match(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'm'))?.[1])
}

t.beforeEach(() => {
  service.onBatch = () => {}
  service.batches.length = 0
})

t.test(
  'above the bytes all sends of a gateway may take, further ones are refused at once and the row stays in order',
  async (t) => {
    const small = await rig.startGateway({ SENDS_LIMIT_BYTES: String(1024 * 1024) })
    const [alice, bob] = [await bind(small, 501), await bind(small, 502)]
    for (let i = 0; i < 100; i++) alice.send('message', textTo(503, `a${i}`, { contentStr: LONG }))
    const refused = await alice.next('messageAck')
    t.match(refused, { msgId: /^a5\d$/, code: 5002, info: '服务暂时不可用，请稍后再试' })
    await alice.settled()
    const first = Number(refused.msgId.slice(1))
    t.same(
      alice.of('messageAck').map(({ msgId }) => msgId),
      Array.from({ length: 100 - first }, (_, i) => `a${first + i}`),
      'everything behind the first one, and nothing in front of it',
    )
    const held = await metric(small.opsUrl, 'qunxin_gateway_sends_pending_bytes')
    t.ok(held > 900 * 1024 && held <= 1024 * 1024, `${held} bytes are held`)
    bob.send('message', textTo(503, 'b', { contentStr: LONG }))
    t.match(await bob.next('messageAck'), { msgId: 'b', code: 5002 })
    t.equal(await metric(small.opsUrl, 'qunxin_gateway_sends_overloaded_total'), 100 - first + 1)

    service.onBatch = answerAll
    for (const batch of service.batches.slice()) answerAll(batch)
    await until(
      async () => (await metric(small.opsUrl, 'qunxin_gateway_sends_pending')) === 0,
      'what was taken is stored',
    )
    t.equal(await metric(small.opsUrl, 'qunxin_gateway_sends_pending_bytes'), 0)
    bob.send('message', textTo(503, 'b', { contentStr: LONG }))
    t.match(await bob.next('messageAck', 1), { msgId: 'b', state: 1 })
  },
)

t.test('one connection does not take the room of the others', async (t) => {
  const [alice, bob] = [await bind(gateway, 511), await bind(gateway, 512)]
  for (let i = 0; i < 200; i++) alice.send('message', textTo(513, `a${i}`, { contentStr: LONG }))
  t.match(await alice.next('messageAck'), { msgId: /^a10\d$/, code: 5002 })
  await alice.settled()
  const refused = alice.of('messageAck').length
  t.ok(refused >= 90 && refused <= 100, `${refused} are refused`)
  service.onBatch = answerAll
  bob.send('message', textTo(514, 'b'))
  t.match(await bob.next('messageAck'), { msgId: 'b', state: 1 })
  for (const batch of service.batches.slice()) answerAll(batch)
  await until(() => alice.of('messageAck').length === 200, 'all are answered')
})

t.test('what the owner refuses in slow mode is told with the time to wait, and closes no row', async (t) => {
  const alice = await bind(gateway, 521)
  service.onBatch = (batch) =>
    service.answer(
      batch.node,
      batch.sends.map(({ id, msgId }) =>
        msgId === 'early'
          ? { id, code: 'RATE_LIMITED', details: { retryAfterMs: 7_000 } }
          : { id, seq: ++seq, at: seq },
      ),
    )
  alice.send('message', textTo(0, 'early', { sessionId: '77' }))
  alice.send('message', textTo(0, 'late', { sessionId: '77' }))
  t.strictSame(await alice.next('messageAck'), {
    msgId: 'early',
    code: 1007,
    info: '操作过于频繁，请稍后再试',
    details: { retryAfterMs: 7_000 },
  })
  t.match(await alice.next('messageAck', 1), { msgId: 'late', state: 1 })
})

t.test('a flood into one conversation gets through up to the first one refused, and not in between', async (t) => {
  const limited = await rig.startGateway({ RATE_LIMITS: 'on' })
  const alice = await bind(limited, 531)
  service.onBatch = answerAll
  for (let i = 0; i < 300; i++) alice.send('message', textTo(532, `m${i}`))
  await until(() => alice.of('messageAck').length === 300, 'every one is answered')
  const acks = alice.of('messageAck')
  const accepted = acks.filter(({ code }) => code === undefined).map(({ msgId }) => msgId)
  t.ok(accepted.length >= 199 && accepted.length <= 250, `${accepted.length}`)
  t.same(
    accepted,
    accepted.map((_, i) => `m${i}`),
  )
  const refused = acks.filter(({ code }) => code !== undefined)
  t.ok(refused.every(({ code, info }) => code === 1007 && info === '操作过于频繁，请稍后再试'))
})
