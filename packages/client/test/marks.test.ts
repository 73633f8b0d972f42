import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { type ConnectOptions, connect } from '../src/index.ts'
import { Marks } from '../src/marks.ts'
import { type FakeConnection, fakeGateway } from './fake-gateway.ts'
import { message, noConversations } from './sample.ts'

async function bound(t: Test, options: Partial<ConnectOptions> = {}) {
  const gateway = await fakeGateway(t)
  const connecting = connect({
    url: gateway.url,
    userId: '42',
    accessToken: 'secret',
    reconnectDelay: () => 0,
    ...options,
  })
  const connection = await gateway.connection()
  await connection.bind()
  const client = await connecting
  t.teardown(() => client.close())
  return { gateway, connection, client }
}

const marksOf = ({ frames }: FakeConnection) =>
  frames.filter(({ tag }) => tag === 'messageReceived' || tag === 'messageRead')

t.test(
  'with sync each conversation is acknowledged by itself: at once, then what comes within half a second in one',
  async (t) => {
    const { connection, client } = await bound(t, { sync: true })
    await noConversations(connection)
    const given: number[] = []
    client.on('message', ({ seq }) => given.push(seq))
    for (let seq = 5; seq <= 9; seq++) connection.send('message', message({ seq }))
    connection.send('message', message({ fromUserId: 42, toUserId: 7, seq: 10 }))
    connection.send('message', message({ sessionId: '9', toUserId: 0, seq: 3 }))
    t.same(await connection.next('messageReceived'), { sessionId: '', peerUserId: 7, seq: 5 })
    t.same(await connection.next('messageReceived'), { sessionId: '9', peerUserId: 0, seq: 3 })
    t.same(await connection.next('messageReceived'), { sessionId: '', peerUserId: 7, seq: 9 })
    t.same(given, [5, 6, 7, 8, 9, 10, 3])
  },
)

t.test('without sync nothing is acknowledged', async (t) => {
  const { connection, client } = await bound(t)
  connection.send('message', message({ seq: 5 }))
  await new Promise((resolve) => client.on('message', resolve))
  client.markRead({ to: 7, seq: 4 })
  t.same(await connection.next('messageRead'), { sessionId: '', peerUserId: 7, seq: 4 })
  t.equal(marksOf(connection).length, 1)
})

t.test('what was read stands for what was received, and nothing goes back', async (t) => {
  const { connection, client } = await bound(t)
  client.markRead({ group: '9', seq: 8 })
  client.markRead({ group: '9', seq: 7 })
  client.markRead({ group: '9', seq: 8 })
  client.markRead({ group: '9', seq: 12 })
  client.markRead({ to: '7', seq: 1 })
  t.same(await connection.next('messageRead'), { sessionId: '9', peerUserId: 0, seq: 8 })
  t.same(await connection.next('messageRead'), { sessionId: '', peerUserId: 7, seq: 1 })
  t.same(await connection.next('messageRead'), { sessionId: '9', peerUserId: 0, seq: 12 })
  t.throws(() => client.markRead({ seq: 1 }), TypeError)
})

t.test(
  'what was told shortly before a loss, or meanwhile, is told on the next connection, the furthest only',
  async (t) => {
    const { gateway, connection, client } = await bound(t)
    client.markRead({ to: 7, seq: 4 })
    client.markRead({ to: 8, seq: 1 })
    await connection.next('messageRead')
    await connection.next('messageRead')
    const lost = new Promise((resolve) => client.on('close', resolve))
    connection.socket.terminate()
    await lost
    client.markRead({ to: 7, seq: 5 })
    client.markRead({ to: 7, seq: 6 })
    const again = await gateway.connection()
    await again.bind()
    t.same(
      [await again.next('messageRead'), await again.next('messageRead')]
        .map(({ peerUserId, seq }) => [peerUserId, seq])
        .sort(),
      [
        [7, 6],
        [8, 1],
      ],
    )
  },
)

t.test('what the server had no room for is told again', async (t) => {
  const { connection, client } = await bound(t)
  client.markRead({ to: 7, seq: 4 })
  await connection.next('messageRead')
  connection.send('error', { code: 1007, info: '操作过于频繁，请稍后再试', tag: 'messageRead' })
  t.match(await connection.next('messageRead'), { seq: 4 })
})

t.test('of many conversations at once the frames keep well below what a user may send', (t) => {
  mock.timers.enable({ apis: ['Date', 'setTimeout'] })
  t.teardown(() => mock.timers.reset())
  mock.timers.tick(1_000)
  const told: number[] = []
  const marks = new Marks((_tag, { peerUserId }) => told.push(peerUserId) > 0)
  const peers = Array.from({ length: 50 }, (_, i) => 100 + i)
  for (const peerUserId of peers) marks.read({ sessionId: '', peerUserId }, 1)
  t.equal(told.length, 10)
  mock.timers.tick(500)
  t.equal(told.length, 20)
  for (let i = 0; i < 3; i++) mock.timers.tick(500)
  t.same(told, peers)
  t.end()
})

t.test('what waits is told before the client leaves', async (t) => {
  const { connection, client } = await bound(t)
  client.markRead({ to: 7, seq: 4 })
  client.markRead({ to: 7, seq: 9 })
  client.close()
  t.match(await connection.next('messageRead'), { seq: 4 })
  t.match(await connection.next('messageRead'), { seq: 9 })
})

t.test('who types is told once in two seconds per conversation', async (t) => {
  const { connection, client } = await bound(t)
  for (const peer of [{ to: 7 }, { to: 7 }, { group: '9' }, { to: 7 }]) client.typing(peer)
  client.markRead({ to: 7, seq: 1 })
  await connection.next('messageRead')
  t.same(
    connection.frames.flatMap(({ tag, data }) => (tag === 'typing' ? [data] : [])),
    [
      { sessionId: '', peerUserId: 7 },
      { sessionId: '9', peerUserId: 0 },
    ],
  )
})

t.test('what was told to a connection that was dead for long by then is told again', (t) => {
  mock.timers.enable({ apis: ['Date', 'setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const told: number[] = []
  const marks = new Marks((_tag, { seq }) => told.push(seq) > 0)
  const lostAfter = (heardForMs: number) => {
    const heardAt = Date.now() + heardForMs
    mock.timers.tick(300_000)
    marks.connectionLost(heardAt)
    marks.bound()
  }
  mock.timers.tick(1_000)
  marks.read({ sessionId: '', peerUserId: 7 }, 5)
  lostAfter(0)
  t.same(told, [5, 5])
  lostAfter(200_000)
  t.same(told, [5, 5], 'nothing that had all the time to be stored')
  t.end()
})
