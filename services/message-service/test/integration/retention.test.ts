import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { backlog, loadChatRecords, range, sync } from '@qunxin/contracts'
import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb'
import t, { type Test } from 'tap'
import { Retention, type RetentionOptions } from '../../src/retention/retention.ts'
import { connectMongo } from '../../src/store/mongo.ts'
import { MongoLog } from '../../src/store/mongo-log.ts'
import { MongoOldMessages } from '../../src/store/mongo-old-messages.ts'
import { MongoTurns } from '../../src/store/mongo-turns.ts'
import type { OldMessages } from '../../src/store/old-messages.ts'
import { message } from '../sample.ts'
import { eventually, fakeGateway, fakeGroups, logger, mongoUrl, world } from './harness.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
t.setTimeout(300_000)
// Each has a database of its own and mostly waits between two deletions.
t.jobs = 4

/** A database of its own, and who goes through it at a time that the test sets. */
async function setup(t: Test, now = 100 * DAY_MS) {
  const w = await world()
  const mongo = await connectMongo({ url: mongoUrl, database: w.name, logger })
  t.teardown(async () => {
    await mongo.close()
    await w.end()
  })
  const log = new MongoLog(w.db)
  const clock = { ms: now, now: () => clock.ms }
  const messages = new MongoOldMessages(w.db)
  const counted = { expired: 0, passes: 0 }
  const metrics = {
    expired: (count: number) => {
      counted.expired += count
    },
    retentionPassed: () => {
      counted.passes += 1
    },
  }
  const turns = new MongoTurns(w.db)
  const retention = (instance: string, options: Partial<RetentionOptions> = {}) =>
    new Retention({ days: 30, instance, messages, turns, waiting: () => 0, clock, logger, metrics, ...options })
  /** A group's messages, each of so many days ago. */
  const store = (group: string, daysAgo: readonly number[]) =>
    log.append(daysAgo.map((days, i) => message({ group, seq: i + 1, at: clock.ms - days * DAY_MS + i })))
  const seqs = async (group: string) => (await log.oldest(`g${group}`, { limit: 10_000 })).map(({ seq }) => seq)
  return { w, log, clock, messages, turns, counted, retention, store, seqs }
}

const days = (count: number, daysAgo: number) => Array.from({ length: count }, () => daysAgo)
const through = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i)

/** The deletions wait from the so many-th on; `reached` resolves when one does. */
function stalled(messages: OldMessages, from: number) {
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let deletions = 0
  const port: OldMessages = {
    conversations: (after, limit) => messages.conversations(after, limit),
    async delete(conversation, time, limit) {
      deletions += 1
      if (deletions >= from) {
        reached.resolve()
        await released.promise
      }
      return messages.delete(conversation, time, limit)
    },
  }
  return { port, reached: reached.promise, release: () => released.resolve() }
}

t.test('what is older than the limit goes, oldest first, but never the newest of a conversation', async (t) => {
  const { store, seqs, retention, counted, clock } = await setup(t)
  await store('1', days(450, 31))
  await store('2', [...days(250, 40), ...days(10, 31), ...days(5, 30), 1])
  await store('3', days(3, 29))
  await store('4', [90])
  await retention('a').look()
  t.same(await seqs('1'), [450])
  t.same(await seqs('2'), through(261, 266))
  t.same(await seqs('3'), [1, 2, 3])
  t.same(await seqs('4'), [1])
  t.same(counted, { expired: 449 + 260, passes: 1 })
  clock.ms += 5 * HOUR_MS
  await retention('b').look()
  t.equal(counted.passes, 1, 'the next pass is not due')
  clock.ms += 2 * DAY_MS
  await retention('b').look()
  t.same(counted, { expired: 449 + 260 + 5 + 2, passes: 2 })
  t.same(await seqs('3'), [3])
})

t.test('a slice takes the oldest ones, and what remains has no hole', async (t) => {
  const { store, seqs, messages, clock } = await setup(t)
  await store('1', days(10, 50))
  t.equal(await messages.delete('g1', clock.ms, 4), 4)
  t.same(await seqs('1'), through(5, 10))
  t.equal(await messages.delete('g1', clock.ms, 100), 5)
  t.equal(await messages.delete('g1', clock.ms, 100), 0)
  t.same(await seqs('1'), [10])
})

t.test('conversations come in the order of their ids, each for one key of the index', async (t) => {
  const { store, messages, w } = await setup(t)
  for (const group of ['1', '12', '2', '3']) await store(group, days(300, 5))
  t.same(
    (await messages.conversations('', 3)).map(({ conversation }) => conversation),
    ['g1', 'g12', 'g2'],
  )
  t.match(await messages.conversations('g2', 3), [{ conversation: 'g3', oldestAt: 95 * DAY_MS }])
  t.same(await messages.conversations('g3', 3), [])
  const client = new MongoClient(mongoUrl, { monitorCommands: true })
  t.teardown(() => client.close())
  let command: Document = {}
  client.on('commandStarted', (event: CommandStartedEvent) => {
    if (event.commandName === 'aggregate') command = event.command
  })
  await new MongoOldMessages(client.db(w.name)).conversations('', 2)
  const { lsid: _, $clusterTime: __, $db: ___, readConcern: ____, ...bare } = command
  const plan = await w.db.command({ explain: bare, verbosity: 'executionStats' })
  const { totalKeysExamined } = plan.executionStats ?? plan.stages[0].$cursor.executionStats
  t.ok(totalKeysExamined <= 10, `${totalKeysExamined} keys`)
})

t.test('one goes through at a time', async (t) => {
  const { store, seqs, retention, messages, counted } = await setup(t)
  for (const group of ['1', '2', '3']) await store(group, days(300, 31))
  const stall = stalled(messages, 2)
  const first = retention('a', { messages: stall.port }).look()
  await stall.reached
  const rivals = Array.from({ length: 5 }, (_, i) => retention(`rival-${i}`, { messages: stalled(messages, 1).port }))
  await Promise.all(rivals.map((rival) => rival.look()))
  stall.release()
  await first
  t.same(counted, { expired: 3 * 299, passes: 1 })
  for (const group of ['1', '2', '3']) t.same(await seqs(group), [300])
})

t.test('when it dies another goes on where it was, and who wakes up later does no harm', async (t) => {
  const { store, seqs, retention, messages, counted, clock, w } = await setup(t)
  for (const group of ['1', '2', '3', '4']) await store(group, days(300, 31))
  const stall = stalled(messages, 4)
  const dead = retention('dead', { messages: stall.port }).look()
  await stall.reached
  t.same(await seqs('1'), [300])
  await retention('heir').look()
  t.equal(counted.passes, 0, 'it may live yet')
  clock.ms += 16_000
  await retention('heir').look()
  t.same(counted.passes, 1)
  for (const group of ['1', '2', '3', '4']) t.same(await seqs(group), [300])
  stall.release()
  await dead
  for (const group of ['1', '2', '3', '4']) t.same(await seqs(group), [300])
  const turn = await w.db.collection('settings').findOne({ _id: 'retention' as never })
  t.match(turn, { holder: 'heir', after: '', dueAt: clock.ms + 6 * HOUR_MS })
})

t.test('a stop leaves the rest to another, who begins behind what is done', async (t) => {
  const { store, seqs, retention, messages, counted } = await setup(t)
  for (const group of ['1', '2', '3']) await store(group, days(250, 31))
  const stall = stalled(messages, 3)
  const leaver = retention('leaver', { messages: stall.port })
  leaver.start()
  await stall.reached
  const stopped = leaver.stop()
  stall.release()
  await stopped
  const before = counted.expired
  t.ok(before < 3 * 249)
  const asked: string[] = []
  const noting: OldMessages = {
    conversations(after, limit) {
      asked.push(after)
      return messages.conversations(after, limit)
    },
    delete: (...args) => messages.delete(...args),
  }
  await retention('heir', { messages: noting }).look()
  t.equal(asked[0], 'g1')
  t.same(counted, { expired: 3 * 249, passes: 1 })
  for (const group of ['1', '2', '3']) t.same(await seqs(group), [250])
})

t.test('while sends wait nothing is deleted', async (t) => {
  const { store, seqs, retention } = await setup(t)
  await store('1', days(20, 31))
  let looks = 0
  let waiting = 1
  const looking = retention('a', {
    waiting: () => {
      looks += 1
      return waiting
    },
  }).look()
  await eventually('some looks', () => looks > 3)
  t.equal((await seqs('1')).length, 20)
  waiting = 0
  await looking
  t.same(await seqs('1'), [20])
})

t.test('who reads and sends finds a conversation that begins later, and nothing else changed', async (t) => {
  const { w, store, retention } = await setup(t, Date.now())
  await store('5', [...days(30, 31), ...days(10, 1)])
  const groups = fakeGroups(await w.connect('group-service'))
  groups.create('5', '1', '2')
  groups.groups.get('5')!.members.set('2', 0)
  await w.start()
  const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
  t.teardown(() => gateway.stop())
  await retention('a').look()
  const bus = await w.connect('caller')
  const nothing = { chatUserId: undefined, lastTime: undefined, pageSize: undefined, beforeSeq: undefined }
  const read = (fields: { lastTime?: number; beforeSeq?: number; pageSize?: number }) =>
    bus.request(loadChatRecords, { ...nothing, groupId: '5', ...fields }, { user: '2' })
  const older = await read({ beforeSeq: 36, pageSize: 5 })
  t.same([older.recordList.map(({ seq }) => seq), older.hasMore], [through(31, 35), false])
  t.match(await read({ beforeSeq: 31 }), { recordList: [], hasMore: false })
  t.equal((await read({ lastTime: 0 })).recordList[0]?.seq, 31)
  const seqsIn = async (fromSeq: number, toSeq: number) =>
    (await bus.request(range, { conversation: 'g5', fromSeq, toSeq })).messages.map(({ seq }) => seq)
  t.same(await seqsIn(1, 20), [], 'a hole that cannot be filled is answered at once')
  t.same(await seqsIn(25, 35), through(31, 35))
  const missed = await bus.request(backlog, { userId: '2' })
  t.same(
    missed.messages.map(({ seq }) => seq),
    through(31, 40),
  )
  const positions = [10, 30, 40].map((seq) => ({ sessionId: '5', peerUserId: undefined, seq }))
  t.match((await bus.request(sync, { positions, newAfter: undefined }, { user: '2' })).positions, [
    { status: 'reset', reason: 'expired', lastSeq: 40 },
    { status: 'messages', messages: through(31, 40).map((seq) => ({ seq })), hasMore: false },
    { status: 'current' },
  ])
  t.match(await gateway.send(gateway.entry('1', { group: '5' })), [{ seq: 41 }])
})

t.test('a conversation whose messages are all old but one goes on from there', async (t) => {
  const { w, store, retention } = await setup(t, Date.now())
  await store('5', days(30, 31))
  fakeGroups(await w.connect('group-service')).create('5', '1')
  await retention('a').look()
  await w.start()
  const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
  t.teardown(() => gateway.stop())
  t.match(await gateway.send(gateway.entry('1', { group: '5' })), [{ seq: 31 }])
})

t.test('processes: kill -9 in the middle of it, and the other one finishes', async (t) => {
  const { w, store, seqs } = await setup(t, Date.now())
  for (let group = 10; group < 25; group++) await store(String(group), days(450, 31))
  const left = () => w.db.collection('messages').countDocuments()
  const whole = await left()
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const start = () => {
    const env = { ...process.env, ...w.environment, RETENTION_DAYS: '30' }
    const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    return child
  }
  const first = start()
  first.stdout.resume()
  await eventually('some to be deleted', async () => (await left()) < whole - 1_000)
  first.kill('SIGKILL')
  await once(first, 'exit')
  const remaining = await left()
  t.ok(remaining > 15, `${remaining} of ${whole} are left`)
  const second = start()
  for await (const line of createInterface({ input: second.stdout }))
    if (JSON.parse(line).msg === 'a pass through old messages is done') break
  t.equal(await left(), 15)
  t.same(await seqs('24'), [450])
  second.kill('SIGTERM')
  t.same(await once(second, 'exit'), [0, null])
})
