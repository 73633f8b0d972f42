import t from 'tap'
import { eventsOf, nameOf } from './events-stream.ts'
import { eventually, fakeGateway, fakeGroups, world } from './harness.ts'

t.setTimeout(60_000)
const w = await world()
t.teardown(() => w.end())
const service = await w.start()
const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
t.teardown(() => gateway.stop())
const groups = fakeGroups(await w.connect('group-service'))
const reader = await w.connect('reader')
const events = await eventsOf(reader, w.name)
const watermarks = () => w.db.collection('watermarks').find().toArray()

t.test('what is stored is told in arrays of facts that say everything about the message', async (t) => {
  groups.create('5', '1', '2')
  await gateway.send(
    gateway.entry('1', { user: '2' }, { msgId: 'one', text: '你好', sentAt: 1 }),
    gateway.entry('1', { group: '5' }, { msgId: 'two', type: 2, attachment: { url: 'u', filename: 'f' } }),
  )
  const stored = await eventually('both facts', async () => {
    const all = await events.stored()
    return all.length === 2 && all
  })
  t.match(
    stored.map(({ fact }) => fact).toSorted((one, other) => one.sessionId.length - other.sessionId.length),
    [
      {
        at: Number,
        sessionId: '',
        fromUserId: '1',
        toUserId: '2',
        msgId: 'one',
        seq: 1,
        msgContentType: 1,
        contentStr: '你好',
      },
      {
        at: Number,
        sessionId: '5',
        fromUserId: '1',
        toUserId: '',
        msgId: 'two',
        seq: 1,
        msgContentType: 2,
        url: 'u',
        filename: 'f',
      },
    ],
  )
  const { max_age, max_bytes, discard, storage } = (await events.streams.info(events.name)).config
  t.same(
    { max_age, max_bytes, discard, storage },
    { max_age: 72 * 3_600e9, max_bytes: 64 * 1024 * 1024, discard: 'old', storage: 'file' },
  )
})

t.test('a busy time is told in few events', async (t) => {
  groups.create('6', '1', '2')
  const { state: before } = await events.streams.info(events.name)
  for (let round = 0; round < 5; round++)
    await gateway.send(...Array.from({ length: 200 }, () => gateway.entry('1', { group: '6' })))
  await eventually(
    'all facts',
    async () => [...(await events.names())].filter((name) => name.startsWith('g6 ')).length === 1_000,
  )
  const { state } = await events.streams.info(events.name)
  t.ok(state.messages - before.messages < 100, `${state.messages - before.messages} events for 1000 messages`)
})

t.test('a repeat that stores nothing tells nothing', async (t) => {
  const entry = gateway.entry('7', { user: '8' })
  await gateway.send(entry)
  await gateway.send({ ...entry, id: 1_000_000 })
  await gateway.send(gateway.entry('7', { user: '8' }))
  await eventually('the second message to be told', async () => (await events.names()).has('p7-8 2'))
  t.same((await events.stored()).filter(({ fact }) => nameOf(fact) === 'p7-8 1').length, 1)
})

t.test('the watermark follows, and a stop leaves none behind', async (t) => {
  const sentAt = Date.now()
  await gateway.send(gateway.entry('9', { user: '10' }))
  await eventually('the watermark to pass it', async () => {
    const [mark] = await watermarks()
    return mark && mark.publishedUntil.getTime() > sentAt
  })
  t.match(await watermarks(), [{ _id: service.instance }])
  await gateway.send(...Array.from({ length: 100 }, () => gateway.entry('9', { user: '10' })))
  await service.stop()
  t.same(await watermarks(), [])
  t.equal(
    [...(await events.names())].filter((name) => name.startsWith('p10-9 ') || name.startsWith('p9-10 ')).length,
    101,
  )
})
