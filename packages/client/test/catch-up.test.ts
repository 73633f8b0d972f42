import type { MsgModel } from '@qunxin/contracts'
import t, { type Test } from 'tap'
import { type ChatClient, type ConnectOptions, connect } from '../src/index.ts'
import { type FakeConnection, fakeGateway } from './fake-gateway.ts'
import { asked, message, noConversations } from './sample.ts'

const personal = { sessionId: '', peerUserId: 7 }
const group = { sessionId: '9', peerUserId: 0 }

async function bound(t: Test, options: Partial<ConnectOptions> = {}) {
  const gateway = await fakeGateway(t)
  const connecting = connect({
    url: gateway.url,
    userId: '42',
    accessToken: 'secret',
    sync: true,
    reconnectDelay: () => 0,
    ...options,
  })
  const connection = await gateway.connection()
  await connection.bind()
  const client = await connecting
  t.teardown(() => client.close())
  return { gateway, connection, client, told: listen(client) }
}

/** Everything the application is told, in order. */
function listen(client: ChatClient): string[] {
  const told: string[] = []
  const of = ({ sessionId, fromUserId, seq }: MsgModel) => `${sessionId === '' ? fromUserId : `g${sessionId}`}:${seq}`
  client.on('message', (one) => told.push(of(one)))
  client.on('messageChanged', (one) => told.push(`changed ${of(one)}`))
  client.on('reset', ({ sessionId, peerUserId, lastSeq, reason }) =>
    told.push(`reset ${sessionId}/${peerUserId} ${lastSeq} ${reason}`),
  )
  client.on('conversation', ({ sessionId, peerUserId, lastSeq }) =>
    told.push(`conversation ${sessionId}/${peerUserId} ${lastSeq}`),
  )
  return told
}

const bySession = (one: { sessionId: string }, other: { sessionId: string }) =>
  one.sessionId < other.sessionId ? -1 : 1

/** Whatever was sent to the client before has been taken by it when this resolves. */
async function settled(client: ChatClient, connection: FakeConnection) {
  const call = client.call('queryGroupList')
  connection.send('queryGroupList', { code: 0, taskId: (await connection.next('queryGroupList')).taskId })
  await call
}

t.test('after a loss what was missed is given in order, before what is live by then', async (t) => {
  const { gateway, connection, client, told } = await bound(t)
  await noConversations(connection)
  for (const seq of [1, 2]) connection.send('message', message({ seq }))
  connection.send('message', message({ sessionId: '9', toUserId: 0, seq: 30 }))
  await settled(client, connection)
  connection.socket.terminate()

  const again = await gateway.connection()
  await again.bind()
  const { positions, answer } = await asked(again)
  t.same(positions, [
    { ...personal, seq: 2 },
    { ...group, seq: 30 },
  ])
  again.send('message', message({ seq: 5 }))
  again.send('message', message({ fromUserId: 8, seq: 1 }))
  again.send('messageChanged', message({ seq: 6, change: { kind: 'recall', seq: 1, msgId: 'm1' } }))
  await settled(client, again)
  t.same(told, ['7:1', '7:2', 'g9:30', '8:1'], 'only what has nothing in front of it does not wait')
  answer({
    positions: [
      { ...personal, status: 'messages', messages: [3, 4, 5].map((seq) => message({ seq })), hasMore: false },
      { ...group, status: 'current' },
    ],
  })
  await settled(client, again)
  t.same(told.slice(4), ['7:3', '7:4', '7:5', 'changed 7:6'])
  const marks: unknown[] = []
  for (let i = 0; i < 4; i++) marks.push(await again.next('messageReceived'))
  t.match(marks, [
    { ...personal, seq: 2 },
    { ...group, seq: 30 },
    { peerUserId: 8, seq: 1 },
    { ...personal, seq: 6 },
  ])
})

t.test('pages are asked for until everything is there; who has more waits behind the others', async (t) => {
  const { gateway, connection, client, told } = await bound(t)
  await noConversations(connection)
  connection.send('message', message({ seq: 1 }))
  connection.send('message', message({ sessionId: '9', toUserId: 0, seq: 1 }))
  await settled(client, connection)
  connection.socket.terminate()
  const again = await gateway.connection()
  await again.bind()
  const first = await asked(again)
  first.answer({
    positions: [
      { ...personal, status: 'messages', messages: [message({ seq: 2 })], hasMore: true },
      { ...group, status: 'messages', messages: [], hasMore: true },
    ],
    new: [{ sessionId: '', peerUserId: 8, lastSeq: 3 }],
    newNext: 'p8',
  })
  const second = await asked(again)
  t.same(second.positions, [
    { ...group, seq: 1 },
    { ...personal, seq: 2 },
  ])
  t.equal(second.newAfter, 'p8')
  const ofGroup = (seq: number) => message({ sessionId: '9', toUserId: 0, seq })
  second.answer({
    positions: [
      { ...group, status: 'messages', messages: [ofGroup(2)], hasMore: false },
      { ...personal, status: 'messages', messages: [message({ seq: 3 })], hasMore: false },
    ],
    new: [{ sessionId: '5', peerUserId: 0, lastSeq: 7 }],
  })
  await settled(client, again)
  t.same(told.slice(2), ['conversation /8 3', '7:2', 'conversation 5/0 7', 'g9:2', '7:3'])
  t.equal(again.frames.filter(({ tag }) => tag === 'sync').length, 2)
})

t.test(
  'a client that begins learns quietly where everything stands, and after a loss is caught up from there',
  async (t) => {
    const { gateway, connection, client, told } = await bound(t)
    const first = await asked(connection)
    t.same(first.positions, [])
    first.answer({ new: [{ ...personal, lastSeq: 50 }], newNext: 'more' })
    const second = await asked(connection)
    t.equal(second.newAfter, 'more')
    second.answer({ new: [{ ...group, lastSeq: 8 }] })
    connection.send('message', message({ seq: 50 }))
    connection.send('message', message({ seq: 51 }))
    await settled(client, connection)
    t.same(told, ['7:50', '7:51'], 'what came live is given although it was there already')
    connection.socket.terminate()
    const again = await gateway.connection()
    await again.bind()
    const { positions } = await asked(again)
    t.same(positions.toSorted(bySession), [
      { ...personal, seq: 51 },
      { ...group, seq: 8 },
    ])
    t.same(client.positions, positions)
  },
)

t.test('an application that kept its positions is caught up from the start', async (t) => {
  const { connection, client, told } = await bound(t, { positions: [{ ...personal, seq: 3 }] })
  const { positions, answer } = await asked(connection)
  t.same(positions, [{ ...personal, seq: 3 }])
  answer({
    positions: [{ ...personal, status: 'messages', messages: [message({ seq: 4 })], hasMore: false }],
    new: [{ ...group, lastSeq: 8 }],
  })
  await settled(client, connection)
  t.same(told, ['conversation 9/0 8', '7:4'])
})

t.test('what cannot be gone on from is told, and what is live goes on behind it', async (t) => {
  const positions = [
    { ...personal, seq: 3 },
    { ...group, seq: 5 },
  ]
  const { connection, client, told } = await bound(t, { positions })
  const { answer } = await asked(connection)
  connection.send('message', message({ seq: 21 }))
  answer({
    positions: [
      { ...personal, status: 'reset', lastSeq: 20, reason: 'expired' },
      { ...group, status: 'reset', lastSeq: 0, reason: 'notAMember' },
    ],
  })
  await settled(client, connection)
  t.same(told, ['reset /7 20 expired', '7:21', 'reset 9/0 0 notAMember'])
  t.same(client.positions, [{ ...personal, seq: 21 }])
})

t.test(
  'a live message behind a hole waits until the hole is asked for, and what the server has not is no hole',
  async (t) => {
    const { connection, client, told } = await bound(t)
    await noConversations(connection)
    connection.send('message', message({ seq: 1 }))
    connection.send('message', message({ seq: 4 }))
    const { positions, answer } = await asked(connection)
    t.same(positions, [{ ...personal, seq: 1 }])
    connection.send('message', message({ seq: 5 }))
    await settled(client, connection)
    t.same(told, ['7:1'])
    answer({ positions: [{ ...personal, status: 'messages', messages: [message({ seq: 3 })], hasMore: false }] })
    await settled(client, connection)
    t.same(told, ['7:1', '7:3', '7:4', '7:5'])
    t.equal(connection.frames.filter(({ tag }) => tag === 'sync').length, 2)
    t.same(client.positions, [{ ...personal, seq: 5 }])
  },
)

t.test('a hole that came up while another was asked for is asked for as well', async (t) => {
  const { connection, client, told } = await bound(t)
  await noConversations(connection)
  connection.send('message', message({ seq: 1 }))
  connection.send('message', message({ seq: 3 }))
  const first = await asked(connection)
  connection.send('message', message({ seq: 6 }))
  await settled(client, connection)
  first.answer({
    positions: [{ ...personal, status: 'messages', messages: [2, 3].map((seq) => message({ seq })), hasMore: false }],
  })
  const second = await asked(connection)
  t.same(second.positions, [{ ...personal, seq: 3 }])
  second.answer({
    positions: [
      { ...personal, status: 'messages', messages: [4, 5, 6].map((seq) => message({ seq })), hasMore: false },
    ],
  })
  await settled(client, connection)
  t.same(told, ['7:1', '7:2', '7:3', '7:4', '7:5', '7:6'])
})

t.test('its own sends are no hole, nor are they given to it when they come with what was missed', async (t) => {
  const { gateway, connection, client, told } = await bound(t)
  await noConversations(connection)
  const stored = client.send({ to: 7, text: 'a', msgId: 'a' })
  await connection.next('message')
  const ack = { msgId: 'a', sessionId: '', peerUserId: 7, seq: 4, serverReceiveDate: 1, state: 1 }
  connection.send('messageAck', ack)
  await stored
  connection.send('message', message({ seq: 5 }))
  const unknown = client.send({ to: 7, text: 'b', msgId: 'b' })
  await connection.next('message')
  connection.socket.terminate()
  const again = await gateway.connection()
  await again.bind()
  const { positions, answer } = await asked(again)
  t.same(positions, [{ ...personal, seq: 5 }])
  const own = { fromUserId: 42, toUserId: 7 }
  answer({
    positions: [
      {
        ...personal,
        status: 'messages',
        messages: [message({ ...own, msgId: 'b', seq: 6 }), message({ ...own, msgId: 'of another device', seq: 7 })],
        hasMore: false,
      },
    ],
  })
  await again.next('message')
  again.send('messageAck', { ...ack, msgId: 'b', seq: 6, duplicate: true })
  await unknown
  t.same(told, ['7:5', '42:7'])
  t.same(client.positions, [{ ...personal, seq: 7 }])
})

t.test('while the server cannot answer it is asked again; one that cannot sync lets everything live go', async (t) => {
  const { connection, client, told } = await bound(t, { positions: [{ ...personal, seq: 3 }] })
  const first = await asked(connection)
  connection.send('message', message({ seq: 9 }))
  first.refuse(5002)
  const second = await asked(connection)
  t.same(told, [])
  second.refuse(1004, 'error')
  await settled(client, connection)
  t.same(told, ['7:9'])
  connection.send('message', message({ seq: 20 }))
  await settled(client, connection)
  t.same(told, ['7:9', '7:20'], 'without sync there are no holes')
})

t.test('what was not answered when the connection got lost is asked for on the next one', async (t) => {
  const { gateway, connection, client, told } = await bound(t, { positions: [{ ...personal, seq: 3 }] })
  const { answer } = await asked(connection)
  connection.send('message', message({ seq: 5 }))
  await settled(client, connection)
  connection.socket.terminate()
  const again = await gateway.connection()
  await again.bind()
  answer({ positions: [{ ...personal, status: 'current' }] })
  const second = await asked(again)
  t.same(second.positions, [{ ...personal, seq: 3 }])
  second.answer({
    positions: [{ ...personal, status: 'messages', messages: [4, 5].map((seq) => message({ seq })), hasMore: false }],
  })
  await settled(client, again)
  t.same(told, ['7:4', '7:5'])
})

t.test('without sync what the backlog brings again is not given twice, and nothing is asked for', async (t) => {
  const { gateway, connection, client, told } = await bound(t, { sync: false })
  for (const seq of [1, 2, 4]) connection.send('message', message({ seq }))
  await settled(client, connection)
  connection.socket.terminate()
  const again = await gateway.connection()
  await again.bind()
  for (const seq of [2, 3, 4, 5]) again.send('message', message({ seq }))
  await settled(client, again)
  t.same(told, ['7:1', '7:2', '7:4', '7:3', '7:5'])
  t.notOk(again.frames.some(({ tag }) => tag === 'sync'))
})

t.test(
  'what came before a live message of a conversation met meanwhile is told of on the next connection',
  async (t) => {
    const { gateway, connection, client, told } = await bound(t, { positions: [{ ...group, seq: 5 }] })
    const first = await asked(connection)
    connection.send('message', message({ seq: 4 }))
    await settled(client, connection)
    t.same(told, ['7:4'])
    t.same(client.positions, [{ ...group, seq: 5 }], 'from there what came before would never be told of')
    first.answer({
      positions: [{ ...group, status: 'current' }],
      new: [{ sessionId: '5', peerUserId: 0, lastSeq: 2 }],
      newNext: 'g5',
    })
    const second = await asked(connection)
    t.same(second.positions, [])
    connection.socket.terminate()
    const again = await gateway.connection()
    await again.bind()
    const third = await asked(again)
    t.same(third.positions.toSorted(bySession), [
      { sessionId: '5', peerUserId: 0, seq: 2 },
      { ...group, seq: 5 },
    ])
    third.answer({
      positions: third.positions.map((one) => ({ ...one, status: 'current' })),
      new: [{ ...personal, lastSeq: 4 }],
    })
    await settled(client, again)
    t.same(told.slice(1), ['conversation 5/0 2', 'conversation /7 4'])
    t.same(client.positions.length, 3)
    again.send('message', message({ seq: 4 }))
    again.send('message', message({ seq: 5 }))
    await settled(client, again)
    t.same(told.slice(3), ['7:5'])
  },
)

t.test('what another process was given is not given again', async (t) => {
  const { connection, client, told } = await bound(t, { positions: [{ ...personal, seq: 3 }] })
  connection.send('message', message({ seq: 2 }))
  const { answer } = await asked(connection)
  answer({ positions: [{ ...personal, status: 'current' }] })
  connection.send('message', message({ seq: 3 }))
  connection.send('message', message({ seq: 4 }))
  await settled(client, connection)
  t.same(told, ['7:4'])
})

t.test('a conversation that was pushed out while it was caught up with goes on from page to page', async (t) => {
  const positions = Array.from({ length: 2_000 }, (_, i) => ({ sessionId: '', peerUserId: 100 + i, seq: 3 }))
  const { connection, client, told } = await bound(t, { positions })
  const first = await asked(connection)
  connection.send('message', message({ seq: 1 }))
  const of = (peer: number, seq: number) => message({ fromUserId: peer, seq })
  first.answer({
    positions: first.positions.map((one) =>
      one.peerUserId === 100
        ? { ...one, seq: undefined, status: 'messages', messages: [of(100, 4)], hasMore: true }
        : { ...one, seq: undefined, status: 'current' },
    ),
  })
  let next: Awaited<ReturnType<typeof asked>>['positions'][number] | undefined
  while (!next) {
    const { positions, answer } = await asked(connection)
    next = positions.find(({ peerUserId }) => peerUserId === 100)
    answer({ positions: positions.map((one) => ({ ...one, seq: undefined, status: 'current' })) })
  }
  t.equal(next.seq, 4)
  await settled(client, connection)
  t.same(told, ['7:1', '100:4'])
})

t.test('a log that was set back is acknowledged from where it goes on', async (t) => {
  const { gateway, connection, client } = await bound(t, { positions: [{ ...personal, seq: 90 }] })
  const first = await asked(connection)
  first.answer({ positions: [{ ...personal, status: 'messages', messages: [message({ seq: 91 })], hasMore: false }] })
  t.match(await connection.next('messageReceived'), { seq: 91 })
  connection.socket.terminate()
  const again = await gateway.connection()
  await again.bind()
  const { positions, answer } = await asked(again)
  t.same(positions, [{ ...personal, seq: 91 }])
  await again.next('messageReceived')
  answer({ positions: [{ ...personal, status: 'reset', lastSeq: 20, reason: 'ahead' }] })
  await settled(client, again)
  again.send('message', message({ seq: 21 }))
  t.match(await again.next('messageReceived'), { seq: 21 })
})
