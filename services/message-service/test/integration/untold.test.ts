import { setTimeout as delay } from 'node:timers/promises'
import { messageInstance, partitionOf, personalConversation, subjects } from '@qunxin/contracts'
import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import t, { type Test } from 'tap'
import { MongoLog } from '../../src/store/mongo-log.ts'
import { message } from '../sample.ts'
import { eventually, fakeGateway, ownedBy, PARTITIONS, world } from './harness.ts'

t.setTimeout(120_000)
// Each has a system of its own and mostly waits.
t.jobs = 4
/** As long as anything may be young that somebody before it stored. */
const YOUNG_MS = 10_500
/** More than two stores at one time may be apart. */
const APART_MS = 1_500

async function open(t: Test) {
  const w = await world()
  t.teardown(() => w.end())
  const bus = await w.connect('gateway')
  const gateway = await fakeGateway(bus, 'node-1')
  t.teardown(() => gateway.stop())
  const log = new MongoLog(w.db)
  /** Personal conversations in every partition, each with a message of this moment that nobody was told of. */
  const storeUntold = async () => {
    const partitions = new Set<number>()
    const pairs: { from: string; user: string; conversation: string }[] = []
    for (let user = 1_000; partitions.size < PARTITIONS; user += 2) {
      const [from, to] = [String(user), String(user + 1)]
      const conversation = personalConversation(from, to)
      const partition = partitionOf(conversation, PARTITIONS)
      if (partitions.has(partition)) continue
      partitions.add(partition)
      pairs.push({ from, user: to, conversation })
      await log.append([message({ conversation, seq: 1, at: Date.now(), from, to, msgId: `untold-${conversation}` })])
    }
    /** Sends one message in each, by which its owner comes to look at it; resolves with how many of the untold are told. */
    const touch = async () => {
      await gateway.send(...pairs.map(({ from, user }) => gateway.entry(from, { user })))
      const told = () => pairs.flatMap(({ conversation }) => gateway.messages(conversation))
      await eventually('the new messages', () => told().filter(({ item }) => !item.again).length >= pairs.length)
      return told().filter(({ item }) => item.again).length
    }
    return { touch }
  }
  type Service = Awaited<ReturnType<typeof w.start>>
  const share = (one: Service, other: Service) =>
    eventually('its share', async () => (await ownedBy(one.opsUrl)) + (await ownedBy(other.opsUrl)) === PARTITIONS)
  const rest = (one: Service) => eventually('the rest', async () => (await ownedBy(one.opsUrl)) === PARTITIONS)
  return { w, bus, storeUntold, share, rest }
}

t.test('what a dead owner left untold is told by the successor of its successor', async (t) => {
  const { w, storeUntold, share } = await open(t)
  // The first one begins after the death, and has owned everything for a moment only when the second joins.
  const first = await w.start()
  const second = await w.start()
  await share(first, second)
  const { touch } = await storeUntold()
  await delay(APART_MS)
  t.equal(await touch(), PARTITIONS)
  await first.stop()
  await second.stop()
})

t.test('what a leaver left untold is told by the successor of its successor', async (t) => {
  const { w, storeUntold, share, rest } = await open(t)
  const first = await w.start()
  await delay(YOUNG_MS)
  const second = await w.start()
  await share(first, second)
  const { touch } = await storeUntold()
  await first.stop()
  await delay(APART_MS)
  const third = await w.start()
  await second.stop()
  await rest(third)
  t.equal(await touch(), PARTITIONS)
  await third.stop()
})

t.test('what an owner that lives has told its successors do not tell again', async (t) => {
  const { w, storeUntold, share, rest } = await open(t)
  const first = await w.start()
  await delay(YOUNG_MS)
  const { touch } = await storeUntold()
  await delay(APART_MS)
  const second = await w.start()
  await share(first, second)
  const third = await w.start()
  await first.stop()
  await second.stop()
  await rest(third)
  t.equal(await touch(), 0)
  await third.stop()
})

t.test('who was not heard for a while, and heard the others, gives no word on what is told', async (t) => {
  const { w, bus, share } = await open(t)
  const proxy = await startTcpProxy(w.environment.NATS_URL)
  t.teardown(() => proxy.stop())
  const first = await w.start({ NATS_URL: proxy.url })
  await delay(YOUNG_MS)
  // Long enough for others to take it for dead, and to store and die in its place.
  proxy.impair({ kind: 'blackhole', direction: 'upstream' })
  await delay(3_000)
  proxy.mend()
  const words: (number[] | undefined)[] = []
  bus.subscribe(subjects.messageInstances, ({ data }) => {
    const { instance, handsOver } = messageInstance.parse(JSON.parse(Buffer.from(data).toString()))
    if (instance === first.instance) words.push(handsOver)
  })
  await bus.flush()
  const second = await w.start()
  await share(first, second)
  const heard = words.length
  await eventually('its next announcement', () => words.length > heard)
  t.same(words.filter(Boolean), [])
  await first.stop()
  await second.stop()
})
