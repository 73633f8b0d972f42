import t from 'tap'
import { eventually, fakeGateway, fakeGroups, world } from './harness.ts'

const w = await world()
t.teardown(() => w.end())
const service = await w.start({ UNCONFIRMED_NODE_BYTES: '20000' })
const [a, b] = [await fakeGateway(await w.connect('a'), 'node-a'), await fakeGateway(await w.connect('b'), 'node-b')]
t.teardown(() => [a, b].map((gateway) => gateway.stop()))
const groups = fakeGroups(await w.connect('group-service'))

const metric = async (name: string) => {
  const text = await (await fetch(`${service.opsUrl}/metrics`)).text()
  return Number(text.match(new RegExp(`^${name}\\{.*\\} (\\d+)$`, 'm'))?.[1])
}
const seqsOf = (gateway: typeof a, conversation: string) => gateway.messages(conversation).map(({ item }) => item.seq)

t.test('what a gateway confirms is kept no longer', async (t) => {
  a.confirms(false)
  const entry = a.entry('1', { user: '2' })
  await a.send(entry)
  t.ok((await metric('qunxin_deliveries_unconfirmed')) > 0)
  a.confirms(true)
  // It is told how far its stream goes, and says that it has all of it.
  await eventually('nothing is unconfirmed', async () => (await metric('qunxin_deliveries_unconfirmed')) === 0)
  t.equal(await metric('qunxin_deliveries_again_total'), 0)
  t.equal(await metric('qunxin_delivery_bytes_unconfirmed'), 0)
})

t.test('a gateway that does not confirm finds what was given up for it, and goes on behind it', async (t) => {
  b.confirms(false)
  b.takes(false)
  const text = '长'.repeat(3_000)
  for (let i = 0; i < 4; i++) await a.send(a.entry('3', { user: '4' }, { text }))
  b.takes(true)
  b.confirms(true)
  await eventually('it is told', () => b.givenUp.length > 0)
  const last = a.entry('3', { user: '4' })
  await a.send(last)
  await eventually('the last one', () => seqsOf(b, last.conversation).includes(5))
  t.notOk(seqsOf(b, last.conversation).includes(1))
  t.same(seqsOf(a, last.conversation), [1, 2, 3, 4, 5])
  t.ok((await metric('qunxin_deliveries_given_up_total')) > 0)
})

t.test(
  'what a gateway that died had not confirmed goes to where its receivers are now, if they still may',
  async (t) => {
    const dying = await fakeGateway(await w.connect('dying'), 'node-dying')
    const group = groups.create('7', '5', '6', '8')
    await a.send(a.entry('9', { user: '8' }))
    await eventually(
      'it is known',
      () => dying.seen.length > 0 || a.send(a.entry('9', { user: '8' })).then(() => false),
    )
    dying.confirms(false)
    const entry = a.entry('5', { group })
    await a.send(entry)
    await eventually('it reaches both', () => seqsOf(b, entry.conversation).length === 1)
    const version = groups.store(group, { removed: ['6'] })
    await groups.tell({ groupId: group, version, removed: ['6'] })
    dying.stop()
    const again = await eventually('it comes again', () =>
      b.messages(entry.conversation).find(({ item }) => item.again !== undefined),
    )
    t.match(again.item, { seq: 1, again: { from: '5', msgId: entry.msgId } })
    t.same(again.item.users.toSorted(), ['5', '8'])
  },
)

t.test('who was connected to a gateway that died, and is nowhere else, is counted', async (t) => {
  await eventually('all is confirmed', async () => (await metric('qunxin_deliveries_unconfirmed')) === 0)
  a.leave()
  b.leave()
  const lonely = await fakeGateway(await w.connect('lonely'), 'node-lonely')
  const before = await metric('qunxin_deliveries_unreached_total')
  await eventually('it is known', async () => {
    await lonely.send(lonely.entry('9', { user: '8' }))
    return lonely.seen.length > 0
  })
  lonely.confirms(false)
  await lonely.send(lonely.entry('10', { user: '11' }))
  lonely.leave()
  const counted = await eventually('both are counted', async () => {
    const now = await metric('qunxin_deliveries_unreached_total')
    return now >= before + 2 && now
  })
  t.ok(counted)
})

t.test('an instance that stops waits until what it sent is confirmed', async (t) => {
  const gateway = await fakeGateway(await w.connect('last'), 'node-last')
  t.teardown(() => gateway.stop())
  await eventually('it is known', async () => {
    await gateway.send(gateway.entry('9', { user: '8' }))
    return gateway.seen.length > 0
  })
  gateway.takes(false)
  const entry = gateway.entry('12', { user: '13' })
  gateway.publish([entry])
  await eventually('it is sent', async () => (await metric('qunxin_deliveries_unconfirmed')) > 0)
  const stopped = service.stop()
  gateway.takes(true)
  t.match(await gateway.answer(entry.id), { seq: 1 })
  await stopped
})
