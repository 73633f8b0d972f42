import { conversationList, sync } from '@qunxin/contracts'
import t from 'tap'
import { eventually, fakeGateway, fakeGroups, tappedLog, world } from './harness.ts'

t.setTimeout(120_000)
const w = await world()
t.teardown(() => w.end())
const log = tappedLog()
const first = await w.start({}, { wrapLog: log.wrapLog })
const second = await w.start({}, { wrapLog: log.wrapLog })
const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
t.teardown(() => gateway.stop())
const groups = fakeGroups(await w.connect('group-service'))
const bus = await w.connect('caller')

const list = async (user: string, after?: string) => bus.request(conversationList, { after }, { user })
const newFor = async (user: string) => (await bus.request(sync, { positions: [], newAfter: undefined }, { user })).new

t.test('a stranger’s first message is in the list and new, though its owner died before it told anybody', async (t) => {
  const dead = Promise.withResolvers<void>()
  const stored = Promise.withResolvers<void>()
  log.hooks.beforeAppend = async (messages) => {
    if (!messages.some(({ conversation }) => conversation === 'p1-2')) return
    const rows = await w.db.collection('conversations').find({ conversation: 'p1-2' }).toArray()
    t.same(rows.map(({ user }) => user).sort(), ['1', '2'], 'both have the conversation before it has a message')
  }
  log.hooks.afterAppend = async (messages) => {
    if (!messages.some(({ conversation }) => conversation === 'p1-2')) return
    stored.resolve()
    await dead.promise
  }
  t.teardown(() => dead.resolve())
  gateway.publish([gateway.entry('1', { user: '2' }, { text: 'hello, stranger' })])
  await stored.promise
  t.same(gateway.messages('p1-2'), [])
  t.same(await newFor('2'), [{ sessionId: '', peerUserId: 1, lastSeq: 1 }])
  const { conversations } = await list('2')
  t.match(conversations, [{ peerUserId: 1, unread: 1, lastMessage: { contentStr: 'hello, stranger' } }])
  delete log.hooks.beforeAppend
  delete log.hooks.afterAppend
})

t.test('a conversation in which something is sent moves up, whichever instance owns it', async (t) => {
  for (const peer of ['31', '32', '33']) await gateway.send(gateway.entry('30', { user: peer }))
  await gateway.send(gateway.entry('31', { user: '30' }))
  const order = async () => (await list('30')).conversations.map(({ peerUserId }) => peerUserId)
  t.same(await order(), [31, 33, 32], 'in one page by the messages themselves')
  const hint = async () => w.db.collection('conversations').findOne({ user: '30', conversation: 'p30-31' })
  const newest = await w.db.collection('messages').findOne({ conversation: 'p30-31' }, { sort: { _id: -1 } })
  await eventually('the hint follows', async () => (await hint())?.lastAt === newest?.at)
})

t.test('groups are listed by what was sent last, without any row', async (t) => {
  groups.create('70', '60', '61')
  groups.create('71', '60', '61')
  await gateway.send(gateway.entry('61', { group: '70' }))
  await gateway.send(gateway.entry('61', { user: '60' }))
  await gateway.send(gateway.entry('61', { group: '71' }))
  const named = (await list('60')).conversations.map(({ sessionId, peerUserId }) => sessionId || peerUserId)
  t.same(named, ['71', 61, '70'])
  t.equal(await w.db.collection('conversations').countDocuments({ conversation: /^g/ }), 0)
})

t.test('what waits to be told to the lists is told at a stop', async (t) => {
  await gateway.send(gateway.entry('80', { user: '81' }))
  await gateway.send(gateway.entry('80', { user: '81' }))
  const newest = await w.db.collection('messages').findOne({ conversation: 'p80-81' }, { sort: { _id: -1 } })
  await Promise.all([first.stop(), second.stop()])
  const rows = await w.db.collection('conversations').find({ conversation: 'p80-81' }).toArray()
  t.same(
    rows.map(({ lastAt }) => lastAt),
    [newest?.at, newest?.at],
  )
})
