import t, { type Test } from 'tap'
import { type ConnectOptions, connect } from '../src/index.ts'
import { type FakeConnection, fakeGateway } from './fake-gateway.ts'

async function bound(t: Test, options: Partial<ConnectOptions> = {}) {
  const gateway = await fakeGateway(t)
  const connecting = connect({ url: gateway.url, userId: '42', accessToken: 'secret', ...options })
  const connection = await gateway.connection()
  await connection.bind()
  const client = await connecting
  t.teardown(() => client.close())
  return { gateway, connection, client }
}

function acknowledge(connection: FakeConnection, message: Record<string, unknown>, seq: number) {
  const { msgId, sessionId, toUserId } = message
  const ack = { msgId, sessionId, peerUserId: sessionId === '' ? toUserId : 0, seq, serverReceiveDate: 1, state: 1 }
  connection.send('messageAck', ack)
}

const TIMEOUT = { code: 5003, info: '请求超时，请稍后再试' }

t.test('a send resolves with the acknowledgement of its msgId', async (t) => {
  const { connection, client } = await bound(t)
  const [one, two] = [client.send({ to: '7', text: 'a', msgId: 'm1' }), client.send({ group: '9', text: 'b' })]
  const frames = [await connection.next('message'), await connection.next('message')]
  t.match(frames[0], {
    fromUserId: 42,
    toUserId: 7,
    sessionId: '',
    msgId: 'm1',
    contentStr: 'a',
    msgContentType: '1',
    sendDate: Number,
  })
  t.match(frames[1], { toUserId: 0, sessionId: '9', msgId: /^[0-9a-f]{32}$/ })
  acknowledge(connection, frames[1]!, 5)
  acknowledge(connection, frames[0]!, 3)
  t.match(await one, { msgId: 'm1', seq: 3 })
  t.match(await two, { sessionId: '9', seq: 5 })
})

t.test('a final refusal rejects the send', async (t) => {
  const { connection, client } = await bound(t)
  const sending = client.send({ to: '7', text: 'a' })
  sending.catch(() => {})
  const { msgId } = await connection.next('message')
  connection.send('messageAck', { msgId, code: 3002, info: '消息ID已被其他消息使用' })
  await t.rejects(sending, { code: 3002, info: '消息ID已被其他消息使用' })
})

t.test(
  'after a retryable refusal the refused go out again in their order, and what came later behind them',
  async (t) => {
    const { connection, client } = await bound(t)
    const send = (msgId: string) => client.send({ to: '7', text: msgId, msgId })
    const first = [send('m1'), send('m2')]
    for (const msgId of ['m1', 'm2']) t.match(await connection.next('message'), { msgId })
    connection.send('messageAck', { msgId: 'm1', ...TIMEOUT })
    // An answer to something sent later shows that the refusal has arrived.
    const call = client.call('queryGroupList')
    connection.send('queryGroupList', { code: 0, taskId: (await connection.next('queryGroupList')).taskId })
    await call
    const later = send('m3')
    const other = client.send({ to: '8', text: 'another conversation', msgId: 'o1' })
    const unaffected = await connection.next('message')
    t.match(unaffected, { msgId: 'o1' })
    acknowledge(connection, unaffected, 1)
    connection.send('messageAck', { msgId: 'm2', ...TIMEOUT })
    for (const [i, msgId] of ['m1', 'm2', 'm3'].entries()) {
      const frame = await connection.next('message')
      t.match(frame, { msgId })
      acknowledge(connection, frame, i + 1)
    }
    const acks = await Promise.all([...first, later, other])
    t.same(
      acks.map(({ seq }) => seq),
      [1, 2, 3, 1],
    )
  },
)

t.test(
  'what is not acknowledged goes out again on the next connection, with the same msgId and in order',
  async (t) => {
    const { gateway, connection, client } = await bound(t)
    const sends = [
      client.send({ group: '9', text: 'a', msgId: 'm1' }),
      client.send({ group: '9', text: 'b', msgId: 'm2' }),
    ]
    await connection.next('message')
    await connection.next('message')
    connection.socket.terminate()
    const again = await gateway.connection()
    sends.push(client.send({ group: '9', text: 'made while away', msgId: 'm3' }))
    await again.bind()
    for (const [i, msgId] of ['m1', 'm2', 'm3'].entries()) {
      const frame = await again.next('message')
      t.match(frame, { msgId })
      acknowledge(again, frame, i + 1)
    }
    t.same(
      (await Promise.all(sends)).map(({ seq }) => seq),
      [1, 2, 3],
    )
  },
)

t.test('in slow mode the refused go out again one by one, none before its time', async (t) => {
  const { connection, client } = await bound(t)
  const sends = ['m1', 'm2', 'm3'].map((msgId) => client.send({ group: '9', text: msgId, msgId }))
  const [first] = [await connection.next('message'), await connection.next('message'), await connection.next('message')]
  acknowledge(connection, first!, 1)
  const refusedAt = performance.now()
  for (const msgId of ['m2', 'm3'])
    connection.send('messageAck', {
      msgId,
      code: 1007,
      info: '操作过于频繁，请稍后再试',
      details: { retryAfterMs: 300 },
    })
  const second = await connection.next('message')
  t.match(second, { msgId: 'm2' })
  t.ok(performance.now() - refusedAt >= 300)
  const call = client.call('queryGroupList')
  connection.send('queryGroupList', { code: 0, taskId: (await connection.next('queryGroupList')).taskId })
  await call
  t.equal(connection.frames.filter(({ tag }) => tag === 'message').length, 4, 'm3 waits for the answer to m2')
  acknowledge(connection, second, 2)
  const third = await connection.next('message')
  t.match(third, { msgId: 'm3' })
  acknowledge(connection, third, 3)
  t.same(
    (await Promise.all(sends)).map(({ seq }) => seq),
    [1, 2, 3],
  )
})

t.test('above the limit of a user nothing more goes out for the second that ends a flood', async (t) => {
  const { connection, client } = await bound(t)
  const sends = ['m1', 'm2'].map((msgId) => client.send({ to: '7', text: msgId, msgId }))
  for (const msgId of ['m1', 'm2']) t.match(await connection.next('message'), { msgId })
  const refusedAt = performance.now()
  for (const msgId of ['m1', 'm2'])
    connection.send('messageAck', {
      msgId,
      code: 1007,
      info: '操作过于频繁，请稍后再试',
      details: { retryAfterMs: 20 },
    })
  for (const [i, msgId] of ['m1', 'm2'].entries()) {
    const frame = await connection.next('message')
    t.match(frame, { msgId })
    t.ok(performance.now() - refusedAt >= 1_000)
    acknowledge(connection, frame, i + 1)
  }
  await Promise.all(sends)
})

t.test('who would have to wait longer than a send is tried is told so at once, and nobody waits behind', async (t) => {
  const { connection, client } = await bound(t)
  const sending = client.send({ group: '9', text: 'too early' })
  sending.catch(() => {})
  const { msgId } = await connection.next('message')
  connection.send('messageAck', {
    msgId,
    code: 1007,
    info: '操作过于频繁，请稍后再试',
    details: { retryAfterMs: 3_600_000 },
  })
  await t.rejects(sending, { code: 1007, retryable: true, retryAfterMs: 3_600_000 })
  const next = client.send({ group: '9', text: 'slow mode is off' })
  acknowledge(connection, await connection.next('message'), 2)
  t.match(await next, { seq: 2 })
})

t.test('a send that is refused for too long is given up', async (t) => {
  const { connection, client } = await bound(t, { sendTimeoutMs: 0 })
  const sending = client.send({ to: '7', text: 'a' })
  sending.catch(() => {})
  const { msgId } = await connection.next('message')
  connection.send('messageAck', { msgId, ...TIMEOUT })
  await t.rejects(sending, { code: 5003, retryable: true })
})

t.test('closing rejects what has no answer', async (t) => {
  const { connection, client } = await bound(t)
  const sending = client.send({ to: '7', text: 'a' })
  sending.catch(() => {})
  await connection.next('message')
  client.close()
  await t.rejects(sending, { code: 5002 })
})

t.test('a backlog goes out as it is answered, so many at once, and in order', async (t) => {
  const { connection, client } = await bound(t)
  const sends = Array.from({ length: 250 }, (_, i) => client.send({ to: '7', text: '', msgId: `m${i}` }))
  for (let i = 0; i < 250; i++) {
    const frame = await connection.next('message')
    t.match(frame, { msgId: `m${i}` })
    t.ok(connection.frames.length <= 1 + i + 100)
    acknowledge(connection, frame, i + 1)
  }
  t.equal((await Promise.all(sends)).length, 250)
})
