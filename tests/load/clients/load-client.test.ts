import t, { type Test } from 'tap'
import { type FakeConnection, fakeGateway } from '../../../packages/client/test/fake-gateway.ts'
import { eventually } from '../../eventually.ts'
import { History, outcomes } from '../history.ts'
import { LoadClient } from './load-client.ts'
import { Watcher } from './watcher.ts'

/** A client of two gateways whose part the test plays, bound to the first. */
async function bound(t: Test) {
  const [here, there] = [await fakeGateway(t), await fakeGateway(t)]
  const history = new History('run')
  const watcher = new Watcher(history)
  const urls = [here.url, there.url]
  const options = { userId: 42, accessToken: 'secret', sync: false, urls, gateway: 0, history, watcher }
  const client = new LoadClient(options)
  t.teardown(() => client.close())
  const connection = await here.connection()
  t.match(await connection.bind(), { userId: 42, accessToken: 'secret', sync: undefined })
  await eventually(() => client.bound, 'the client is bound')
  const conversation = history.conversation('p7-42')
  for (const member of [client.index, history.addClient(7)]) history.joined(conversation, member)
  return { client, connection, there, history, watcher, conversation }
}

function acknowledge(connection: FakeConnection, { msgId }: Record<string, unknown>, seq: number): void {
  const ack = { msgId, sessionId: '', peerUserId: 7, seq, serverReceiveDate: 1_000 + seq, state: 1 }
  connection.send('messageAck', ack)
}

t.test('what is sent and answered is written down, every answer counted', async (t) => {
  const { client, connection, history, watcher, conversation } = await bound(t)
  const sending = client.send(conversation, { units: 40 })
  const message = await connection.next('message')
  t.match(message, { toUserId: 7, msgId: 'run-0', contentStr: /^run-0 / })
  connection.send('messageAck', { msgId: 'run-0', code: 5003, info: '' })
  await connection.next('message')
  t.equal(client.outstanding, 1, 'sent again, and still without an outcome')
  acknowledge(connection, message, 3)
  acknowledge(connection, message, 4)
  await sending
  await eventually(() => history.contradicted.length === 1, 'the second answer is seen')
  t.equal(history.attempts.outcome.at(0), outcomes.acknowledged)
  t.match([history.attempts.seq.at(0), history.attempts.serverAt.at(0)], [3, 1_003])
  t.match(watcher.counts, { attempted: 1, acknowledged: 1, retried: 1, refused: 0, unknown: 0 })
  t.equal(client.outstanding, 0)
})

t.test('a refusal for good is an outcome; a connection that ends for good leaves none', async (t) => {
  const { client, connection, history, watcher, conversation } = await bound(t)
  const refused = client.send(conversation)
  await connection.next('message')
  connection.send('messageAck', { msgId: 'run-0', code: 2002, info: '' })
  await refused
  t.equal(history.attempts.outcome.at(0), outcomes.refused)
  t.same([...watcher.refusals], [[2002, 1]])
  const unknown = client.send(conversation)
  await connection.next('message')
  connection.socket.close(1008, 'policy')
  await unknown
  t.equal(history.attempts.outcome.at(1), outcomes.unknown)
  t.match(watcher.counts, { refused: 1, unknown: 1 })
  t.equal(client.ended, '1008 policy')
})

t.test('what it is shown is written down under the connection it came on', async (t) => {
  const { client, connection, there, history } = await bound(t)
  const message = {
    fromUserId: 7,
    toUserId: 42,
    sessionId: '',
    seq: 1,
    msgId: 'theirs',
    contentStr: 'x',
    serverReceiveDate: 5,
  }
  connection.send('message', message)
  await eventually(() => history.shown.seq.length === 1, 'it is shown')
  client.drop(0)
  const next = await there.connection()
  await next.bind()
  next.send('message', { ...message, seq: 2 })
  await eventually(() => history.shown.seq.length === 2, 'the next is shown')
  const { connections, shown } = history
  t.same([shown.connection.at(0), shown.connection.at(1)], [0, 1])
  t.same([connections.number.at(0), connections.number.at(1)], [1, 2])
  t.ok(connections.closedAt.at(0) <= connections.boundAt.at(1))
  t.equal(connections.closedAt.at(1), Number.POSITIVE_INFINITY)
  t.equal(history.conversations[shown.conversation.at(0)]?.id, 'p7-42')
})

t.test('a connection that leaves one ping without answer until the next is dropped', async (t) => {
  const { client, connection, there, history } = await bound(t)
  const { socket } = connection
  const message = { fromUserId: 7, toUserId: 42, sessionId: '', msgId: 'theirs', contentStr: 'x', serverReceiveDate: 5 }
  for (const seq of [1, 2]) {
    const pinged = new Promise((resolve) => socket.once('ping', resolve))
    client.ping()
    await pinged
    // Behind the answer to the ping.
    connection.send('message', { ...message, seq })
    await eventually(() => history.shown.seq.length === seq, 'the answer has come')
  }
  t.equal(client.bound, true, 'one that answers stays')
  socket.pause()
  client.ping()
  client.ping()
  await eventually(() => !client.bound, 'it is dropped')
  await (await there.connection()).bind()
  await eventually(() => client.bound, 'it is back, at the other gateway')
  t.equal(there.count, 1)
})
