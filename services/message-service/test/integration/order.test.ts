import { DELIVERY_LIMITS } from '@qunxin/contracts'
import t from 'tap'
import { eventually, fakeGateway, fakeGroups, world } from './harness.ts'

const w = await world()
t.teardown(() => w.end())
await w.start()
const nodes = await Promise.all(['node-1', 'node-2'].map(async (node) => fakeGateway(await w.connect(node), node)))
t.teardown(() => {
  for (const node of nodes) node.stop()
})
const [one, two] = nodes as [(typeof nodes)[0], (typeof nodes)[0]]
const groups = fakeGroups(await w.connect('group-service'))
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

t.test('20 writers into one group from two gateways: both see seq 1 … n, in order, once', async (t) => {
  const writers = upTo(20).map(String)
  groups.create('5', ...writers)
  const each = 25
  await Promise.all(
    writers.map(async (writer, i) => {
      const gateway = i % 2 === 0 ? one : two
      for (let sent = 0; sent < each; sent += 5) {
        await gateway.send(...upTo(5).map((k) => gateway.entry(writer, { group: '5' }, { text: `${sent + k}` })))
      }
    }),
  )
  const total = writers.length * each
  for (const node of nodes) {
    const seen = await eventually(`all frames on ${node.node}`, () => {
      const there = node.messages('g5').filter(({ item }) => !item.again)
      return there.length === total && there
    })
    t.same(
      seen.map(({ item }) => item.seq),
      upTo(total),
    )
    for (const writer of writers) {
      const own = seen.filter(({ frame }) => frame.data.fromUserId === Number(writer))
      t.same(
        own.map(({ frame }) => Number(frame.data.contentStr)),
        upTo(each),
        `in the order ${writer} sent them`,
      )
    }
    const times = seen.map(({ frame }) => frame.data.serverReceiveDate as number)
    t.ok(times.every((time, i) => i === 0 || time > times[i - 1]!))
  }
})

t.test('an answer never comes before the frames of its message', async (t) => {
  const before = one.seen.length
  const sends = upTo(50).map(() => one.entry('1', { user: '2' }))
  await one.send(...sends)
  t.equal(one.seen.length - before, 50)
})

t.test('a commit larger than NATS carries arrives whole, in deliveries within the limit', async (t) => {
  groups.create('6', '1', '2')
  const long = '长'.repeat(5_000)
  const sends = upTo(120).map(() => one.entry('1', { group: '6' }, { text: long }))
  for (let at = 0; at < sends.length; at += 30) one.publish(sends.slice(at, at + 30))
  const seen = await eventually('all frames', () => two.messages('g6').length === 120 && two.messages('g6'))
  t.same(
    seen.map(({ item }) => item.seq),
    upTo(120),
  )
  t.ok(two.deliveries.every(({ bytes }) => bytes <= DELIVERY_LIMITS.bytes))
})
