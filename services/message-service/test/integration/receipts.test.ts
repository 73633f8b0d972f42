import { messageRead, messageReceived, partitionOf, queryReceipts, type Receipt, subjects } from '@qunxin/contracts'
import { type Document, MongoClient } from 'mongodb'
import t from 'tap'
import { askOwner } from '../../src/asking.ts'
import { MongoCursors } from '../../src/store/mongo-cursors.ts'
import { MongoLog } from '../../src/store/mongo-log.ts'
import { countingProxy } from './counting-proxy.ts'
import { eventually, fakeGateway, fakeGroups, mongoUrl, PARTITIONS, type Seen, world } from './harness.ts'

t.setTimeout(120_000)
const w = await world()
t.teardown(() => w.end())
const mongo = await countingProxy(mongoUrl)
t.teardown(() => mongo.stop())
await Promise.all([w.start({ MONGO_URL: mongo.url }), w.start({ MONGO_URL: mongo.url })])
const bus = await w.connect('node-1')
const gateway = await fakeGateway(bus, 'node-1')
t.teardown(() => gateway.stop())
const groups = fakeGroups(await w.connect('group-service'))
/** What goes over NATS to owners of partitions, and to gateways. */
const nats = { receipts: 0, deliveries: 0 }
bus.nats.subscribe(`${w.name}.>`, {
  callback: (_error, { subject }) => {
    if (/\.partition\.\d+\.receipt$/.test(subject)) nats.receipts += 1
    if (/\.gateway\..*\.deliver$/.test(subject)) nats.deliveries += 1
  },
})
await bus.flush()

const users = (count: number, from: number) => Array.from({ length: count }, (_, index) => String(from + index))

/** Told to the owners and confirmed, as a gateway does it. */
async function tell(...receipts: Receipt[]): Promise<void> {
  const byPartition = Map.groupBy(receipts, ({ conversation }) => partitionOf(conversation, PARTITIONS))
  await Promise.all(
    [...byPartition].map(async ([partition, some]) => {
      const payload = JSON.stringify({ node: 'node-1', receipts: some })
      const subject = subjects.partitionReceipt(partition)
      await eventually('an answer', () => askOwner(bus, subject, { payload, deadline: Date.now() + 5_000 }))
    }),
  )
}
const cursor = (conversation: string, user: string) =>
  w.db.collection('cursors').findOne({ conversation, user }, { projection: { _id: 0, deliveredSeq: 1, readSeq: 1 } })
const floor = async (group: string) => {
  const found = await w.db.collection('floors').findOne({ _id: `g${group}` as never })
  return found && { delivered: found.delivered, read: found.read }
}
const states = (conversation: string) =>
  gateway.seen.filter(({ item, frame }) => frame.tag === 'messageState' && item.conversation === conversation)
const shown = ({ item, frame }: Seen) => ({ to: item.users, ...frame.data })
const sendAll = async (group: string, ...from: string[]) => {
  for (const user of from) await gateway.send(gateway.entry(user, { group }))
}
const query = (user: string, group: string, seq: number, after?: number) =>
  bus.request(queryReceipts, { sessionId: group, seq, ...(after !== undefined && { after }) }, { user })

t.test('a receipt is stored, then told to the peer and to the reader’s other devices, then answered', async (t) => {
  await gateway.send(gateway.entry('11', { user: '12' }), gateway.entry('11', { user: '12' }))
  await tell({ user: '12', conversation: 'p11-12', delivered: 2, read: 1, conn: 'c12' })
  t.same(await cursor('p11-12', '12'), { deliveredSeq: 2, readSeq: 1 })
  const cursors = { deliveredSeq: 2, readSeq: 1 }
  const found = await eventually('both are told', () => states('p11-12').length === 2 && states('p11-12'))
  t.same(found.map(shown), [
    { to: ['11'], sessionId: '', peerUserId: 12, ...cursors },
    { to: ['12'], sessionId: '', peerUserId: 11, ...cursors, own: true },
  ])
  t.match(found, [{}, { item: { except: 'c12' } }])
  for (const { item } of found) t.same(item.cursor, { of: '12', delivered: 2, read: 1 })
})

t.test('nothing is told or answered before it is stored', async (t) => {
  await gateway.send(gateway.entry('21', { user: '22' }))
  mongo.lets(false)
  let answered = false
  const told = tell({ user: '22', conversation: 'p21-22', read: 1 }).then(() => {
    answered = true
  })
  await new Promise((resolve) => setTimeout(resolve, 800))
  t.same([answered, states('p21-22').length, await cursor('p21-22', '22')], [false, 0, null])
  mongo.lets(true)
  await told
  t.same(await cursor('p21-22', '22'), { deliveredSeq: 1, readSeq: 1 })
  t.equal(states('p21-22').length, 2)
})

t.test('any instance takes messageReceived and messageRead as calls, and answers when they are stored', async (t) => {
  await gateway.send(gateway.entry('31', { user: '32' }), gateway.entry('31', { user: '32' }))
  t.same(await bus.request(messageReceived, { peerUserId: '31', seq: 2 }, { user: '32' }), {})
  t.same(await cursor('p31-32', '32'), { deliveredSeq: 2, readSeq: 0 })
  t.same(await bus.request(messageRead, { peerUserId: '31', seq: 9 }, { user: '32' }), {})
  t.same(await cursor('p31-32', '32'), { deliveredSeq: 2, readSeq: 2 }, 'not ahead of the log')
  groups.create('33', '31')
  await sendAll('33', '31')
  await t.rejects(bus.request(messageRead, { sessionId: '33', seq: 1 }, { user: '32' }), { code: 'NOT_A_MEMBER' })
  await t.rejects(bus.request(messageRead, { sessionId: '99', seq: 1 }, { user: '32' }), { code: 'GROUP_NOT_FOUND' })
  await tell({ user: '32', conversation: 'g33', read: 1 })
  t.equal(await cursor('g33', '32'), null, 'and an owner that is told of it drops it')
})

t.test('the authors of group messages are told of the newest message whose counts changed', async (t) => {
  groups.create('41', '1', '2', '3', '4')
  await sendAll('41', '1', '2', '1', '3')
  await tell({ user: '4', conversation: 'g41', delivered: 4, read: 3, conn: 'c', alone: true })
  const total = 3
  const counts = await eventually('three authors are told', () => states('g41').length === 3 && states('g41'))
  const told = counts.map(shown).sort((one, other) => other.seq - one.seq)
  t.same(told, [
    { to: ['3'], sessionId: '41', seq: 4, deliveredCount: 1, readCount: 0, total },
    { to: ['1'], sessionId: '41', seq: 3, deliveredCount: 1, readCount: 1, total },
    { to: ['2'], sessionId: '41', seq: 2, deliveredCount: 1, readCount: 1, total },
  ])
  await tell({ user: '2', conversation: 'g41', read: 1, alone: true })
  await eventually('the author is told of the older one', () => states('g41').length === 4)
  t.match(states('g41').map(shown).at(-1), { to: ['1'], seq: 1, deliveredCount: 2, readCount: 2 })
  const page = await query('3', '41', 3)
  const members = [2, 3, 4].map((userId) => ({ userId, state: userId === 4 ? 3 : 1 }))
  t.same(page, { deliveredCount: 1, readCount: 1, total, members })
  await t.rejects(query('3', '41', 5), { code: 'MESSAGE_NOT_FOUND' })
})

t.test('counts of a group are told at most once a second, and at the end they are right', async (t) => {
  const members = users(500, 5_000)
  groups.create('51', ...members)
  await sendAll('51', members[0]!)
  const began = performance.now()
  for (let at = 1; at < 500; at += 20) {
    const some = members.slice(at, at + 20)
    await tell(...some.map((user) => ({ user, conversation: 'g51', read: 1, conn: `c${user}`, alone: true as const })))
  }
  const last = await eventually('all of them count', () => {
    const newest = states('g51').at(-1)
    return newest?.frame.data.readCount === 499 && newest
  })
  const seconds = (performance.now() - began) / 1_000
  t.same(shown(last), { to: [members[0]], sessionId: '51', seq: 1, deliveredCount: 499, readCount: 499, total: 499 })
  t.ok(states('g51').length <= seconds + 1, `${states('g51').length} pushes in ${seconds.toFixed(1)} s`)
  const counts = states('g51').map(({ frame }) => frame.data.readCount)
  t.same(
    counts,
    counts.toSorted((one, other) => one - other),
    'no count goes back',
  )
  const first = await query(members[7]!, '51', 1)
  t.match(first, { deliveredCount: 499, readCount: 499, total: 499, next: Number(members[200]) })
  const rest = await query(members[7]!, '51', 1, first.next)
  const end = await query(members[7]!, '51', 1, rest.next)
  t.notOk('next' in end)
  t.same(
    [first, rest, end].flatMap(({ members }) => members.map(({ userId }) => String(userId))),
    members.slice(1),
  )
})

t.test('a group of 10,000 whose members all read floods nobody', async (t) => {
  const members = users(10_000, 100_000)
  groups.create('61', ...members)
  await sendAll('61', members[0]!)
  await eventually('what the send set off is done', () => cursor('g61', members[0]!))
  mongo.reset()
  Object.assign(nats, { receipts: 0, deliveries: 0 })
  const receipts = members.map((user) => ({
    user,
    conversation: 'g61',
    read: 1,
    conn: `c${user}`,
    alone: true as const,
  }))
  for (let at = 0; at < receipts.length; at += 1_000) await tell(...receipts.slice(at, at + 1_000))
  t.equal(await w.db.collection('cursors').countDocuments({ conversation: 'g61', readSeq: 1 }), 10_000)
  t.same(states('g61'), [], 'no frame at all')
  const commands = mongo.commandsOn('cursors', 'floors', 'messages')
  t.comment(`NATS messages: ${JSON.stringify(nats)}, MongoDB commands: ${JSON.stringify(commands)}`)
  t.equal(nats.deliveries, 0, 'no gateway is sent anything')
  // Ten batches; on a slow machine some are told again before they are answered.
  t.ok(
    (commands['update cursors'] ?? 0) <= 2 * nats.receipts,
    'one for each batch, and one for those who had no cursor',
  )
  t.ok(Object.values(commands).reduce((sum, count) => sum + count, 0) <= 2 * nats.receipts + 20)
  t.equal(await floor('61'), null)

  mongo.reset()
  for (let after = 0; after < 5; after++) {
    const page = await query(members[9]!, '61', 1, Number(members[after * 200]))
    t.match(page, { readCount: 9_999, total: 9_999 })
    t.equal(page.members.length, 200)
  }
  const reads = mongo.commandsOn('cursors', 'messages')
  t.ok((reads['find cursors'] ?? 0) <= 2 * 10, 'five pages read the cursors once at each instance')
  t.equal(reads['find messages'], 5)
})

t.test('what is read of a group of 500 among ten thousands of cursors is little more than is told', async (t) => {
  const client = new MongoClient(mongoUrl, { monitorCommands: true })
  t.teardown(() => client.close())
  const db = client.db(w.name)
  const cursors = new MongoCursors(db)
  const log = new MongoLog(db)
  const some = users(500, 100_000)
  const keys = some.slice(0, 200).map((user) => ({ user, conversation: 'g61' }))
  const examined = async (read: () => Promise<unknown>) => {
    let command: Document | undefined
    const note = (event: { command: Document }) => {
      command ??= event.command
    }
    client.on('commandStarted', note)
    await read()
    client.off('commandStarted', note)
    const { lsid: _, $clusterTime: __, $db: ___, readConcern: ____, ...bare } = command ?? {}
    const { executionStats } = await db.command({ explain: bare, verbosity: 'executionStats' })
    return { keys: executionStats.totalKeysExamined, documents: executionStats.totalDocsExamined }
  }
  for (const [what, most, read] of [
    ['the cursors of members', 500, () => cursors.of('g61', some)],
    ['cursors read back', 200, () => cursors.each(keys)],
    ['the message', 1, () => log.oldest('g61', { fromSeq: 1, toSeq: 1, limit: 1 })],
    ['its authors', 1, () => log.authors('g61', 1, 1)],
  ] as const) {
    const found = await examined(read)
    t.ok(found.documents <= most, `${what}: ${found.documents} documents`)
    t.ok(found.keys <= 2 * most + 1, `${what}: ${found.keys} keys`)
  }
})

t.test('the slowest members are the floor of a group, over joining, leaving and coming again', async (t) => {
  groups.create('71', '1', '2', '3')
  await sendAll('71', '1', '1', '1', '1')
  const read = (user: string, seq: number) => tell({ user, conversation: 'g71', read: seq, alone: true })
  await read('2', 3)
  t.same(
    (await floor('71'))?.read.map(([, seq]: [string, number]) => seq),
    [0, 0],
  )
  await read('1', 4)
  await read('3', 1)
  t.same((await floor('71'))?.read, [
    ['3', 1],
    ['2', 3],
  ])

  const change = async (reason: 'joined' | 'left', user: string) => {
    const delta = reason === 'joined' ? { added: [user] } : { removed: [user] }
    const version = groups.store('71', delta)
    return groups.tell({ groupId: '71', version, ...delta })
  }
  t.same(await change('joined', '4'), { lastSeq: 4 })
  t.same(await cursor('g71', '4'), { deliveredSeq: 4, readSeq: 4 }, 'who joins has nothing unread')
  t.match(await query('2', '71', 2), { total: 2, readCount: 1 }, 'and is in no count of what was sent before')
  await change('left', '3')
  const seqs = async () => (await floor('71'))?.read.map(([, seq]: [string, number]) => seq).join()
  await eventually('who left is slow no more', async () => (await seqs()) === '3,4')
  await sendAll('71', '2')
  await change('joined', '3')
  t.same(await cursor('g71', '3'), { deliveredSeq: 5, readSeq: 5 })
  await read('3', 2)
  t.same(await cursor('g71', '3'), { deliveredSeq: 5, readSeq: 5 })
  t.match(await query('1', '71', 4), { total: 1, readCount: 0 }, 'who came again, or came then, was not there')
  await sendAll('71', '1')
  await read('3', 6)
  t.match(await query('2', '71', 6), { total: 3, readCount: 1 })
})

t.test('the counts of who left are told anew', async (t) => {
  groups.create('81', '1', '2', '3')
  await sendAll('81', '1')
  await tell({ user: '2', conversation: 'g81', read: 1, alone: true })
  await eventually('one of two', () => states('g81').some(({ frame }) => frame.data.total === 2))
  const version = groups.store('81', { removed: ['3'] })
  await groups.tell({ groupId: '81', version, removed: ['3'] })
  const last = await eventually('one of one', () => states('g81').find(({ frame }) => frame.data.total === 1))
  t.match(last.frame.data, { seq: 1, deliveredCount: 1, readCount: 1 })
})

t.test('a send right after the last read message takes the read cursor along', async (t) => {
  await gateway.send(gateway.entry('91', { user: '92' }))
  await tell({ user: '92', conversation: 'p91-92', read: 1 })
  await gateway.send(gateway.entry('92', { user: '91' }), gateway.entry('92', { user: '91' }))
  await gateway.send(gateway.entry('91', { user: '92' }))
  await eventually('it is taken along', async () => (await cursor('p91-92', '92'))?.readSeq === 3)
  t.same(await cursor('p91-92', '91'), { deliveredSeq: 1, readSeq: 1 }, 'two were not read before the other’s send')
})
