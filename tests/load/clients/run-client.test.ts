import t, { type Test } from 'tap'
import { type FakeConnection, fakeGateway } from '../../../packages/client/test/fake-gateway.ts'
import { eventually } from '../../eventually.ts'
import { History, outcomes } from '../history.ts'
import { Wire } from '../wire/wire.ts'
import { LoadClient } from './load-client.ts'
import type { RunClient, RunClientOptions } from './run-client.ts'
import { Watcher } from './watcher.ts'
import { WireClient } from './wire-client.ts'

/** One that says what it has read. */
const reads: Make = (options) => new LoadClient({ ...options, sync: false, reads: 'all' })

type Make = (options: RunClientOptions) => RunClient
const kinds: [string, Make][] = [
  ['the SDK', (options) => new LoadClient({ ...options, sync: false })],
  ['bytes on a socket', (options) => new WireClient(options, new Wire())],
]

/** A client of two gateways whose part the test plays, bound to the first. */
async function bound(t: Test, make: Make) {
  const [here, there] = [await fakeGateway(t), await fakeGateway(t)]
  const history = new History('run')
  const watcher = new Watcher(history)
  const urls = [here.url, there.url]
  const client = make({ userId: 42, accessToken: 'secret', urls, gateway: 0, history, watcher })
  t.teardown(() => client.close())
  const connection = await here.connection()
  t.match(await connection.bind(), { userId: 42, accessToken: 'secret', sync: undefined })
  await client.ready
  await eventually(() => client.bound, 'the client is bound')
  const conversation = history.conversation('p7-42')
  for (const member of [client.index, history.addClient(7)]) history.joined(conversation, member)
  /** Resolves when it is said to have an answer, or that none will come. */
  const send = (options: { units?: number } = {}) =>
    new Promise<void>((settled) => client.send(conversation, { ...options, settled }))
  return { client, connection, there, history, watcher, conversation, send }
}

function acknowledge(connection: FakeConnection, { msgId }: Record<string, unknown>, seq: number): void {
  const ack = { msgId, sessionId: '', peerUserId: 7, seq, serverReceiveDate: 1_000 + seq, state: 1 }
  connection.send('messageAck', ack)
}

const message = { fromUserId: 7, toUserId: 42, sessionId: '', msgId: 'theirs', contentStr: 'x', serverReceiveDate: 5 }

for (const [kind, make] of kinds)
  t.test(`a client that is ${kind}`, async (t) => {
    t.test('what is sent and answered is written down, every answer counted', async (t) => {
      const { client, connection, history, watcher, send } = await bound(t, make)
      const sending = send({ units: 40 })
      const sent = await connection.next('message')
      t.match(sent, { fromUserId: 42, toUserId: 7, sessionId: '', msgId: 'run-0', msgContentType: '1' })
      t.match(sent, { contentStr: /^run-0 .{34}$/, sendDate: Number })
      connection.send('messageAck', { msgId: 'run-0', code: 5003, info: '' })
      await connection.next('message')
      t.equal(client.outstanding, 1, 'sent again, and still without an outcome')
      acknowledge(connection, sent, 3)
      acknowledge(connection, sent, 4)
      await sending
      await eventually(() => history.contradicted.length === 1, 'the second answer is seen')
      t.equal(history.attempts.outcome.at(0), outcomes.acknowledged)
      t.match([history.attempts.seq.at(0), history.attempts.serverAt.at(0)], [3, 1_003])
      t.match(watcher.counts, { attempted: 1, acknowledged: 1, retried: 1, refused: 0, unknown: 0 })
      t.equal(client.outstanding, 0)
    })

    t.test('a refusal for good is an outcome; a connection that ends for good leaves none', async (t) => {
      const { client, connection, history, watcher, send } = await bound(t, make)
      const refused = send()
      await connection.next('message')
      connection.send('messageAck', { msgId: 'run-0', code: 2002, info: '您不是该群成员' })
      await refused
      t.equal(history.attempts.outcome.at(0), outcomes.refused)
      t.same([...watcher.refusals], [[2002, 1]])
      const unknown = send()
      await connection.next('message')
      connection.socket.close(1008, 'policy')
      await unknown
      t.equal(history.attempts.outcome.at(1), outcomes.unknown)
      t.match(watcher.counts, { refused: 1, unknown: 1 })
      t.equal(client.ended, '1008 policy')
    })

    t.test('what is behind a refusal that allows another attempt is sent again behind it, in order', async (t) => {
      const { client, connection, history, watcher, send } = await bound(t, make)
      const sending = Promise.all([send(), send(), send()])
      const first = []
      for (let i = 0; i < 3; i++) first.push(await connection.next('message'))
      connection.send('messageAck', { msgId: 'run-0', code: 5002, info: '' })
      await eventually(() => watcher.counts.retried === 1, 'it is refused')
      const later = send()
      connection.send('messageAck', { msgId: 'run-1', code: 5002, info: '' })
      acknowledge(connection, first[2] ?? {}, 1)
      for (const [seq, msgId] of ['run-0', 'run-1', 'run-3'].entries()) {
        const again = await connection.next('message')
        t.equal(again.msgId, msgId)
        acknowledge(connection, again, seq + 2)
      }
      await sending
      await later
      t.equal(client.outstanding, 0)
      t.same(
        [0, 1, 2, 3].map((attempt) => history.attempts.seq.at(attempt)),
        [2, 3, 1, 4],
      )
    })

    t.test('what has no answer when the connection breaks goes out on the next, with the same msgId', async (t) => {
      const { client, connection, there, history, send } = await bound(t, make)
      const sending = Promise.all([send(), send()])
      for (let i = 0; i < 2; i++) await connection.next('message')
      connection.socket.terminate()
      await eventually(() => !client.bound, 'it is noticed')
      const meanwhile = send()
      const next = await there.connection()
      await next.bind()
      for (const [seq, msgId] of ['run-0', 'run-1', 'run-2'].entries()) {
        const again = await next.next('message')
        t.equal(again.msgId, msgId)
        acknowledge(next, again, seq + 1)
      }
      await sending
      await meanwhile
      t.match([client.outstanding, history.attempts.sender.length], [0, 3])
    })

    t.test('what it is shown is written down under the connection it came on', async (t) => {
      const { client, connection, there, history } = await bound(t, make)
      connection.send('message', { ...message, seq: 1 })
      await eventually(() => history.shown.seq.length === 1, 'it is shown')
      client.drop(0)
      const next = await there.connection()
      await next.bind()
      next.send('message', { ...message, seq: 2, contentStr: '"x" 狐狸' })
      await eventually(() => history.shown.seq.length === 2, 'the next is shown')
      const { connections, shown } = history
      t.same([shown.connection.at(0), shown.connection.at(1)], [0, 1])
      t.same([connections.number.at(0), connections.number.at(1)], [1, 2])
      t.ok(connections.closedAt.at(0) <= connections.boundAt.at(1))
      t.equal(connections.closedAt.at(1), Number.POSITIVE_INFINITY)
      t.equal(history.conversations[shown.conversation.at(0)]?.id, 'p7-42')
    })

    t.test('each message stands in its conversation, whoever it is of and to', async (t) => {
      const { connection, history } = await bound(t, make)
      const where = [
        [{ sessionId: 'one', toUserId: 0 }, 'gone'],
        [{ sessionId: 'one', toUserId: 0 }, 'gone'],
        [{ sessionId: 'two', toUserId: 0 }, 'gtwo'],
        [{ sessionId: 'on', toUserId: 0 }, 'gon'],
        [{ fromUserId: 9 }, 'p9-42'],
        [{}, 'p7-42'],
        [{ fromUserId: 42, toUserId: 7 }, 'p7-42'],
        [{ fromUserId: 9, toUserId: 7 }, 'p7-9'],
        [{ fromUserId: 9 }, 'p9-42'],
      ] as const
      for (const [i, [fields]] of where.entries()) connection.send('message', { ...message, seq: i, ...fields })
      await eventually(() => history.shown.seq.length === where.length, 'all are shown')
      const { conversation, fromUserId } = history.shown
      t.same(
        where.map((_, i) => history.conversations[conversation.at(i)]?.id),
        where.map(([, id]) => id),
      )
      t.same([fromUserId.at(4), fromUserId.at(6)], [9, 42])
    })

    t.test('cursors and counts it is told are written down', async (t) => {
      const { connection, history } = await bound(t, make)
      connection.send('messageState', { sessionId: '', peerUserId: 7, deliveredSeq: 3, readSeq: 2 })
      connection.send('messageState', { sessionId: 'one', seq: 4, deliveredCount: 5, readCount: 1, total: 9 })
      await eventually(() => history.tallies.seq.length === 1, 'both are told')
      t.match([history.cursors.userId.at(0), history.cursors.delivered.at(0)], [7, 3])
      t.match([history.tallies.seq.at(0), history.tallies.total.at(0)], [4, 9])
    })

    t.test('a ping is answered with what it carried', async (t) => {
      const { connection } = await bound(t, make)
      const pong = new Promise((resolve) => connection.socket.once('pong', (data) => resolve(String(data))))
      connection.socket.ping('17')
      t.equal(await pong, '17')
    })

    t.test('a connection that leaves one ping without answer until the next is dropped', async (t) => {
      const { client, connection, there, history } = await bound(t, make)
      const { socket } = connection
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

    t.test('it leaves with a word', async (t) => {
      const { client, connection } = await bound(t, make)
      const code = new Promise((resolve) => connection.socket.once('close', resolve))
      client.close()
      t.equal(await code, 1000)
    })
  })

t.test('who reads is at it from being shown something until it has said so', async (t) => {
  const { client, connection, history } = await bound(t, reads)
  t.equal(client.reading, false)
  connection.send('message', { ...message, seq: 3 })
  await eventually(() => history.shown.seq.length === 1, 'it is shown')
  t.equal(client.reading || history.marks.seq.length === 1, true)
  t.match(await connection.next('messageRead'), { peerUserId: 7, seq: 3 })
  t.equal(client.reading, false)
})
