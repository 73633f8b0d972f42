import { backlog, loadChatRecords, range, sendMessage } from '@qunxin/contracts'
import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb'
import t from 'tap'
import { MongoLog } from '../../src/store/mongo-log.ts'
import { message } from '../sample.ts'
import { eventually, fakeGateway, fakeGroups, mongoUrl, world } from './harness.ts'

t.setTimeout(120_000)
const w = await world()
t.teardown(() => w.end())
await w.start()
const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
t.teardown(() => gateway.stop())
const groups = fakeGroups(await w.connect('group-service'))
const bus = await w.connect('caller')
const nothing = {
  groupId: undefined,
  chatUserId: undefined,
  lastTime: undefined,
  pageSize: undefined,
  beforeSeq: undefined,
}

t.test(
  '250 messages sent fast are paged back by lastTime in pages of 20: none lost, none twice, ascending',
  async (t) => {
    const sends = Array.from({ length: 250 }, (_, i) => gateway.entry('1', { user: '2' }, { text: `number ${i}` }))
    await gateway.send(...sends)
    const texts: string[] = []
    const times: number[] = []
    let lastTime = 0
    let pages = 0
    for (;;) {
      const page = await bus.request(
        loadChatRecords,
        { ...nothing, chatUserId: '2', lastTime, pageSize: 20 },
        { user: '1' },
      )
      if (page.recordList.length === 0) break
      pages += 1
      texts.push(...page.recordList.map(({ msg }) => msg))
      times.push(...page.recordList.map(({ timestamp }) => timestamp))
      lastTime = times.at(-1)!
      t.equal(page.hasMore, texts.length < 250)
    }
    t.equal(pages, 13)
    t.same(
      texts,
      sends.map(({ text }) => text),
    )
    t.same(
      times,
      [...new Set(times)].sort((one, other) => one - other),
    )
  },
)

t.test('only members read a group’s records, and who reads an unknown group is told so', async (t) => {
  groups.create('5', '1', '2')
  await gateway.send(gateway.entry('1', { group: '5' }))
  const read = (user: string, groupId: string) => bus.request(loadChatRecords, { ...nothing, groupId }, { user })
  t.match(await read('2', '5'), { recordList: [{ fromId: '1', toId: '5', chat_type: 'groupchat', seq: 1, state: 1 }] })
  await t.rejects(read('3', '5'), { code: 'NOT_A_MEMBER' })
  await t.rejects(read('1', '6'), { code: 'GROUP_NOT_FOUND' })
})

t.test('what reached the receiver is state 2 in the sender’s records', async (t) => {
  const [answer] = await gateway.send(gateway.entry('11', { user: '12' }))
  const receipts = [{ user: '12', conversation: 'p11-12', delivered: 999 }]
  gateway.receive('p11-12', receipts)
  const stateOf = async () => {
    const page = await bus.request(loadChatRecords, { ...nothing, chatUserId: '12' }, { user: '11' })
    return page.recordList[0]?.state
  }
  t.match(answer, { seq: 1 })
  await eventually('state 2', async () => (await stateOf()) === 2)
})

t.test('a range is read for repair, both ends included', async (t) => {
  await gateway.send(...Array.from({ length: 9 }, () => gateway.entry('21', { user: '22' })))
  const { messages } = await bus.request(range, { conversation: 'p21-22', fromSeq: 3, toSeq: 6 })
  t.same(
    messages.map(({ seq }) => seq),
    [3, 4, 5, 6],
  )
  t.match(messages[0], { fromUserId: 21, toUserId: 22, sessionId: '', state: 1 })
})

t.test('who comes back gets what others sent meanwhile, groups and strangers included', async (t) => {
  groups.create('7', '31', '32')
  await gateway.send(
    gateway.entry('31', { group: '7' }),
    gateway.entry('32', { group: '7' }),
    gateway.entry('33', { user: '32' }),
  )
  const { messages } = await bus.request(backlog, { userId: '32' })
  t.same(messages.map(({ sessionId, fromUserId, seq }) => [sessionId, fromUserId, seq]).sort(), [
    ['', 33, 1],
    ['7', 31, 1],
  ])
})

t.test('another service sends by message.send and is answered after the commit', async (t) => {
  const input = {
    toUserId: '42',
    sessionId: undefined,
    msgId: 'from-a-service',
    msgContentType: 1,
    contentStr: 'hello',
  }
  const sent = await bus.request(sendMessage, { ...input, sendDate: undefined }, { user: '41' })
  t.match(sent, { msgId: 'from-a-service', sessionId: '', peerUserId: 42, seq: 1, serverReceiveDate: Number, state: 1 })
  t.equal(await w.db.collection('messages').countDocuments({ conversation: 'p41-42' }), 1)
  const again = await bus.request(sendMessage, { ...input, sendDate: undefined }, { user: '41' })
  t.match(again, { seq: 1, duplicate: true })
  await t.rejects(bus.request(sendMessage, { ...input, sendDate: undefined, toUserId: '41' }, { user: '41' }), {
    code: 'NO_SUCH_RECEIVER',
  })
  const [seen] = await eventually('the frame', () => {
    const there = gateway.messages('p41-42')
    return there.length > 0 && there
  })
  t.notOk(seen!.item.except, 'every device of the sender gets it')
})

t.test('who acts is checked: what is no user id neither sends nor reads', async (t) => {
  const input = { ...nothing, toUserId: '52', sessionId: undefined, msgId: 'm1', msgContentType: 1, contentStr: 'x' }
  const refused = { code: 'BAD_REQUEST', details: { field: 'Im-User' } }
  for (const user of ['', '0', '-1', '01', 'someone', '{"$ne":1}', '1 2']) {
    await t.rejects(bus.request(sendMessage, { ...input, sendDate: undefined }, { user }), refused, user)
    await t.rejects(bus.request(loadChatRecords, { ...nothing, chatUserId: '52' }, { user }), refused, user)
  }
  t.equal(await w.db.collection('messages').countDocuments({ msgId: 'm1' }), 0)
})

t.test('a page near the end of 100,000 messages examines no more than a page', { timeout: 100_000 }, async (t) => {
  const client = new MongoClient(mongoUrl, { monitorCommands: true })
  t.teardown(() => client.close())
  const db = client.db(w.name)
  const log = new MongoLog(db)
  for (let from = 1; from <= 100_000; from += 1_000) {
    await log.append(Array.from({ length: 1_000 }, (_, i) => message({ group: '99', seq: from + i })))
  }
  const explained = async (read: () => Promise<unknown>): Promise<Document> => {
    let command: Document | undefined
    const note = (event: CommandStartedEvent) => {
      if (event.commandName === 'find' || event.commandName === 'aggregate') command = event.command
    }
    client.on('commandStarted', note)
    await read()
    client.off('commandStarted', note)
    const { lsid: _, $clusterTime: __, $db: ___, readConcern: ____, ...bare } = command!
    const plan = await db.command({ explain: bare, verbosity: 'executionStats' })
    return plan.executionStats ?? plan.stages[0].$cursor.executionStats
  }
  const pages = {
    'after a time': () => log.after('g99', 1_000 + 99_940, 51),
    'the newest': () => log.newest('g99', { limit: 51 }),
    'below a seq': () => log.newest('g99', { toSeq: 99_950, limit: 51 }),
    'a range': () => log.oldest('g99', { fromSeq: 99_940, toSeq: 99_960, limit: 51 }),
    'the tail': () => log.tail('g99', 51),
  }
  for (const [what, read] of Object.entries(pages)) {
    const stats = await explained(read)
    t.ok(stats.totalKeysExamined <= 52, `${what}: ${stats.totalKeysExamined} keys`)
    t.ok(stats.totalDocsExamined <= 51, `${what}: ${stats.totalDocsExamined} documents`)
  }
  const heads = await explained(() => log.heads(['g99', 'p1-2']))
  t.ok(heads.totalKeysExamined <= 10, `heads: ${heads.totalKeysExamined} keys`)
})
