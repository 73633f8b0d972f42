import { backlog, loadChatRecords } from '@qunxin/contracts'
import t from 'tap'
import { MongoLog } from '../../src/store/mongo-log.ts'
import { message } from '../sample.ts'
import { eventually, fakeGateway, fakeGroups, tappedLog, world } from './harness.ts'

t.setTimeout(60_000)
const w = await world()
t.teardown(() => w.end())
const { stallNextAppend, wrapLog } = tappedLog()
await w.start({}, { wrapLog })
const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
t.teardown(() => gateway.stop())
const groups = fakeGroups(await w.connect('group-service'))
const bus = await w.connect('caller')

const change = (groupId: string, delta: { added?: string[]; removed?: string[] }) =>
  groups.tell({ groupId, version: groups.store(groupId, delta), ...delta })
const say = (group: string, from = '1') => gateway.send(gateway.entry(from, { group }))
/** To whom each frame of a group went. */
const shown = (group: string) =>
  gateway.messages(`g${group}`).map(({ item }) => [item.seq, item.users.toSorted().join()])

t.test('what was being stored when somebody joined is not for them, and what comes behind it is', async (t) => {
  groups.create('20', '1', '2')
  await say('20')
  const stall = stallNextAppend()
  const sent = say('20')
  await stall.reached
  const joining = change('20', { added: ['3'] })
  stall.release()
  t.same(await joining, { lastSeq: 2 }, 'the place of the join is behind it')
  await sent
  await say('20', '3')
  t.same(shown('20'), [
    [1, '1,2'],
    [2, '1,2'],
    [3, '1,2,3'],
  ])
})

t.test('what is sent round again is not for who joined since, and is for who was there', async (t) => {
  groups.create('21', '1', '2')
  const first = gateway.entry('1', { group: '21' })
  await gateway.send(first)
  t.same(await change('21', { added: ['3'] }), { lastSeq: 1 })
  t.match(await gateway.send({ ...first, id: first.id + 1_000 }), [{ seq: 1, duplicate: true }])
  await say('21')
  t.same(shown('21'), [
    [1, '1,2'],
    [1, '1,2'],
    [2, '1,2,3'],
  ])
})

t.test('who comes back gets nothing of what was sent while they were away, however often it is sent', async (t) => {
  groups.create('22', '1', '2')
  await say('22')
  await change('22', { removed: ['2'] })
  const meanwhile = gateway.entry('1', { group: '22' })
  await gateway.send(meanwhile)
  t.same(await change('22', { added: ['2'] }), { lastSeq: 2 })
  await gateway.send({ ...meanwhile, id: meanwhile.id + 1_000 })
  await say('22')
  t.same(shown('22'), [
    [1, '1,2'],
    [2, '1'],
    [2, '1'],
    [3, '1,2'],
  ])
})

t.test('a join is placed behind what another owner has stored meanwhile', async (t) => {
  groups.create('23', '1', '2')
  await say('23')
  const rival = new MongoLog(w.db)
  const stored = (seq: number) => message({ group: '23', seq, at: Date.now() + seq, from: '2', msgId: `rival-${seq}` })
  await rival.append([2, 3].map(stored))
  t.same(await change('23', { added: ['3'] }), { lastSeq: 3 })
  t.match(await say('23'), [{ seq: 4 }])
  await rival.append([5].map(stored))
  t.same(await change('23', { removed: ['3'] }), { lastSeq: 5 })
})

t.test('changes one behind the other are told in their order, each with its own place', async (t) => {
  groups.create('24', '1')
  const users = Array.from({ length: 20 }, (_, i) => String(100 + i))
  const from = gateway.seen.length
  const applied = await Promise.all(
    users.map((user) => {
      const notice = { reason: 'joined' as const, byUserId: user, userIds: [user], listChanged: [user] }
      const joined = groups.tell({
        groupId: '24',
        version: groups.store('24', { added: [user] }),
        added: [user],
        notice,
      })
      void say('24')
      return joined
    }),
  )
  const places = applied.map(({ lastSeq }) => lastSeq)
  t.same(
    places,
    places.toSorted((one, other) => one - other),
  )
  const told = () => gateway.seen.slice(from).filter(({ frame }) => frame.tag === 'groupListChanged')
  await eventually('everybody is told', () => told().length === users.length)
  t.same(
    told().map(({ item }) => item.users),
    users.map((user) => [user]),
  )
})

t.test('a member reads what was sent while they were one, page by page, by seq or by time', async (t) => {
  groups.create('25', '1', '2')
  for (let seq = 1; seq <= 12; seq++) await say('25')
  const { recordList: all } = await bus.request(loadChatRecords, { groupId: '25' }, { user: '1' })
  t.equal(all.length, 12)
  const at = (seq: number) => all[seq - 1]!.timestamp
  const read = async (input: object) => {
    const page = await bus.request(loadChatRecords, { groupId: '25', pageSize: 2, ...input }, { user: '2' })
    return [...page.recordList.map(({ seq }) => seq), page.hasMore]
  }
  const bySeq = [
    { afterTime: 0, afterSeq: 2, toTime: 0, toSeq: 4 },
    { afterTime: 0, afterSeq: 9 },
  ]
  const byTime = [{ afterTime: at(2), toTime: at(4) }, { afterTime: at(9) }]
  for (const visible of [bySeq, byTime]) {
    groups.memberships.set('25/2', { joinedSeq: 9, visible })
    t.same(await read({}), [11, 12, true])
    t.same(await read({ beforeSeq: 11 }), [4, 10, true])
    t.same(await read({ beforeSeq: 8 }), [3, 4, false])
    t.same(await read({ beforeSeq: 3 }), [false])
    t.same(await read({ lastTime: 0 }), [3, 4, true])
    t.same(await read({ lastTime: at(4) }), [10, 11, true])
    t.same(await read({ lastTime: at(6) }), [10, 11, true])
    t.same(await read({ lastTime: at(11) }), [12, false])
  }
})

t.test('a backlog begins where its user came in, whether that is known by seq or by time', async (t) => {
  groups.create('26', '1', '2')
  for (let seq = 1; seq <= 5; seq++) await say('26')
  const { recordList } = await bus.request(loadChatRecords, { groupId: '26' }, { user: '1' })
  const missed = async () => {
    const { messages } = await bus.request(backlog, { userId: '2' })
    return messages.filter(({ sessionId }) => sessionId === '26').map(({ seq }) => seq)
  }
  groups.memberships.set('26/2', { joinedSeq: 3 })
  t.same(await missed(), [4, 5])
  groups.memberships.delete('26/2')
  groups.groups.get('26')!.members.set('2', recordList[3]!.timestamp)
  t.same(await missed(), [5])
  groups.groups.get('26')!.members.set('2', recordList[4]!.timestamp)
  t.same(await missed(), [])
})
