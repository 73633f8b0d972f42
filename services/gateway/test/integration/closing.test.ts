import type { GatewayControl } from '@qunxin/contracts'
import t from 'tap'
import { token } from '../tokens.ts'
import { until } from './rig/client.ts'
import { startRig, textTo } from './rig/gateway-rig.ts'

const rig = await startRig()
const { gateway, service, bind, connect } = rig

t.test('a frame over the limit ends its connection with 1009, and no other', async (t) => {
  const [large, other] = await Promise.all([bind(gateway, 301), bind(gateway, 302)])
  large.send('message', textTo(302, 'm1', { contentStr: 'x'.repeat(64 * 1024) }))
  t.equal(await large.code(), 1009)
  await other.settled()
  t.equal(other.closed, undefined)
})

t.test('a hundred frames without a binding are enough: 1008', async (t) => {
  const client = await connect(gateway)
  for (let i = 0; i < 101; i++) client.send('canConnect')
  t.equal(await client.code(), 1008)
  t.equal(client.of('canConnect').length, 100)
})

t.test('a revoked user loses every socket on every gateway at once, whenever its token was made: 4003', async (t) => {
  const second = await rig.startGateway()
  const iat = Math.floor(Date.now() / 1000) - 10
  const bindBy = async (where: typeof gateway, claims: Record<string, unknown>) => {
    const client = await connect(where, { query: `?accessToken=${await token({ sub: '303', ...claims })}` })
    client.send('getUserId', { userId: 303, sync: true })
    await client.next('bound')
    return client
  }
  const [one, two, ageless, justNow] = [
    await bindBy(gateway, { iat }),
    await bindBy(second, { iat }),
    await bindBy(gateway, { iat: undefined }),
    await bindBy(gateway, { iat: iat + 5 }),
  ]
  const unbound = await connect(gateway, { query: `?accessToken=${await token({ sub: '303', iat })}` })
  const stranger = await bind(gateway, 304)
  const order: GatewayControl = { kind: 'revoke', userId: '303', notBefore: (iat + 5) * 1000 }
  service.bus.publish('gateway.all.control', JSON.stringify(order))
  const gone = [one, two, ageless, justNow, unbound]
  t.same(await Promise.all(gone.map((client) => client.code())), Array(5).fill(4003))
  await stranger.settled()

  const again = await bindBy(gateway, { iat: iat + 5 })
  await again.settled()

  const late = await connect(gateway)
  late.send('getUserId', { userId: 303, accessToken: await token({ sub: '303', iat }) })
  t.match(await late.next('error'), { code: 1002 })
  t.equal(await late.code(), 4001)
})

t.test('the eleventh connection of a user closes the oldest, wherever it is: 4009', async (t) => {
  const second = await rig.startGateway()
  const clients = []
  for (let i = 0; i < 10; i++) clients.push(await bind(i % 2 === 0 ? second : gateway, 305))
  await Promise.all(clients.map((client) => client.settled()))
  clients.push(await bind(gateway, 305))
  t.equal(await clients[0]?.code(), 4009)
  clients.push(await bind(gateway, 305))
  t.equal(await clients[1]?.code(), 4009)
  await Promise.all(clients.slice(2).map((client) => client.settled()))
})

t.test(
  'above the limit frames are refused in the form of their tag, and a flood that goes on is closed 4029',
  async (t) => {
    const client = await bind(gateway, 306)
    const info = '操作过于频繁，请稍后再试'
    for (let i = 0; i < 400; i++) client.send('canConnect')
    // Several, as one passes every 20 ms.
    for (let i = 0; i < 20; i++) client.send('message', textTo(307, `m${i}`))
    for (let i = 0; i < 20; i++) client.send('queryGroupList', { userId: 306, taskId: `q${i}` })
    for (let i = 0; i < 20; i++) client.send('unheard of', { taskId: 'u' })
    client.socket.send('no json')
    const isTold = ({ retryAfterMs }: { retryAfterMs: number }) => retryAfterMs > 0 && retryAfterMs <= 20
    const refused = async (tag: string) => {
      const fits = ({ code }: { code: number }) => code === 1007
      await until(() => client.of(tag).some(fits), `a refused ${tag}`)
      const { details, msgId, taskId, ...rest } = client.of(tag).find(fits)
      return { details, named: msgId ?? taskId, rest }
    }
    const [{ details: ofSend, ...ack }, { details: ofCall, ...answer }] = [
      await refused('messageAck'),
      await refused('queryGroupList'),
    ]
    t.match(ack.named, /^m\d+$/)
    t.match(answer.named, /^q\d+$/)
    for (const { rest } of [ack, answer]) t.strictSame(rest, { code: 1007, info })
    t.ok(isTold(ofSend) && isTold(ofCall), 'and when the next one passes')
    await until(
      () => client.of('error').some(({ tag, code }) => tag === 'unheard of' && code === 1007),
      'the refusal of the unknown tag',
    )
    t.match(
      client.of('error').find(({ tag, code }) => tag === 'unheard of' && code === 1007),
      { code: 1007, taskId: 'u', info },
    )
    const flood = setInterval(() => {
      for (let i = 0; i < 20; i++) client.send('canConnect')
    }, 20)
    t.teardown(() => clearInterval(flood))
    t.equal(await client.code(), 4029)
  },
)

t.test('the limit of a user is one over all gateways', async (t) => {
  const clients = [await bind(gateway, 329), await bind(await rig.startGateway(), 329)]
  const begin = performance.now()
  const before = clients.map(({ frames }) => frames.length)
  for (let sent = 4; sent <= 800; sent += 4) {
    for (const client of clients) for (let i = 0; i < 4; i++) client.send('canConnect')
    await until(() => clients.every(({ frames }, i) => frames.length === sent + (before[i] ?? 0)), 'an answer to each')
  }
  const allowed = 200 + ((performance.now() - begin) / 1_000) * 50
  const passed = clients.reduce(
    (sum, client) => sum + client.of('canConnect').filter((data) => data === true).length,
    0,
  )
  t.ok(passed >= 0.9 * allowed && passed <= 1.1 * allowed, `${passed} of ${allowed}`)
})

t.test('a client that gives no sign of life for a round is dead; one that answers pings lives', async (t) => {
  const quick = await rig.startGateway({ PING_EVERY_MS: '500' })
  const authorization = `Bearer ${await token({ sub: '308' })}`
  const dead = await connect(quick, { headers: { authorization }, autoPong: false })
  dead.send('getUserId', { userId: 308 })
  await dead.next('bound')
  const alive = await bind(quick, 309)
  let pings = 0
  alive.socket.on('ping', () => {
    pings += 1
  })
  t.equal(await dead.code(), 1006)
  await until(() => pings >= 3, 'three rounds')
  t.equal(alive.closed, undefined)
  alive.socket.ping()
  await new Promise((resolve) => alive.socket.once('pong', resolve))
})

t.test('a client that does not read is closed 4008, while another goes on', async (t) => {
  const [slow, fast] = await Promise.all([bind(gateway, 310), bind(gateway, 310)])
  slow.socket.pause()
  const filler = 'x'.repeat(30_000)
  let sent = 0
  const push = () => service.push(gateway.node, ['310'], 'filler', { number: sent++, filler })
  const redis = await rig.redis()
  t.teardown(() => redis.disconnect())
  const here = () => redis.hlen(`${rig.prefix}:presence:{310}`)
  while ((await here()) === 2) {
    for (let i = 0; i < 20; i++) push()
    await until(() => fast.of('filler').length === sent, 'the fast one to have it all')
  }
  push()
  t.match(await fast.next('filler', sent - 1), { number: sent - 1 })
  t.same(
    fast.of('filler').map(({ number }) => number),
    Array.from({ length: sent }, (_, i) => i),
  )
  slow.socket.resume()
  t.equal(await slow.code(), 4008)
})
