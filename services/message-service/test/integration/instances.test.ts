import { setTimeout as delay } from 'node:timers/promises'
import {
  messageInstance,
  ownerOf,
  partitionOf,
  personalConversation,
  presenceConfirmed,
  subjects,
} from '@qunxin/contracts'
import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import t from 'tap'
import { MongoLog } from '../../src/store/mongo-log.ts'
import { message } from '../sample.ts'
import { eventually, fakeGateway, fakeGroups, ownedBy, PARTITIONS, world } from './harness.ts'

t.setTimeout(120_000)
const w = await world()
t.teardown(() => w.end())
const bus = await w.connect('gateway')
const gateway = await fakeGateway(bus, 'node-1')
t.teardown(() => gateway.stop())
fakeGroups(await w.connect('group-service'))
const log = new MongoLog(w.db)
const stored = (conversation: string) => w.db.collection('messages').find({ conversation }).sort({ _id: 1 }).toArray()
const ready = async (opsUrl: string) => {
  const response = await fetch(`${opsUrl}/readyz`)
  return { status: response.status, body: await response.json() }
}

t.test('instances share the partitions; writers notice neither a newcomer nor a leaver', async (t) => {
  const first = await w.start()
  t.equal(await ownedBy(first.opsUrl), PARTITIONS)
  const over = new AbortController()
  const writers = Array.from({ length: 16 }, async (_, i) => {
    const sent: string[] = []
    while (!over.signal.aborted) {
      const sends = [1, 2, 3].map(() => gateway.entry(String(100 + i), { user: String(200 + i) }))
      for (const answer of await gateway.send(...sends)) t.ok('seq' in answer || t.fail(JSON.stringify(answer)))
      sent.push(...sends.map(({ msgId }) => msgId))
    }
    return sent
  })
  const second = await w.start()
  const shares = async () => [await ownedBy(first.opsUrl), await ownedBy(second.opsUrl)]
  const expected = [first, second].map(
    ({ instance }) =>
      Array.from({ length: PARTITIONS }, (_, partition) =>
        ownerOf(partition, [first.instance, second.instance]),
      ).filter((owner) => owner === instance).length,
  )
  await eventually('the shares', async () => String(await shares()) === String(expected))
  await first.stop()
  await eventually('the rest', async () => (await ownedBy(second.opsUrl)) === PARTITIONS)
  over.abort()
  const sent = await Promise.all(writers)
  for (const [i, msgIds] of sent.entries()) {
    t.same(
      (await stored(`p${100 + i}-${200 + i}`)).map(({ msgId }) => msgId),
      msgIds,
    )
  }
  await second.stop()
})

/** Personal conversations in every partition, each with a message of this moment that nobody was told of. */
async function storeUntold(firstUser: number) {
  const partitions = new Set<number>()
  const pairs: { from: string; user: string; conversation: string }[] = []
  for (let user = firstUser; partitions.size < PARTITIONS; user += 2) {
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

t.test('what a dead owner left untold is told by the successor of its successor', async (t) => {
  // The first one begins after the death, and has owned everything for a moment only when the second joins.
  const first = await w.start()
  const second = await w.start()
  await eventually(
    'its share',
    async () => (await ownedBy(first.opsUrl)) + (await ownedBy(second.opsUrl)) === PARTITIONS,
  )
  const { touch } = await storeUntold(1_000)
  await delay(1_500)
  t.equal(await touch(), PARTITIONS)
  await first.stop()
  await second.stop()
})

t.test('what a leaver left untold is told by the successor of its successor', async (t) => {
  const first = await w.start()
  // As long as anything may be young that somebody before it stored.
  await delay(10_500)
  const second = await w.start()
  await eventually(
    'its share',
    async () => (await ownedBy(first.opsUrl)) + (await ownedBy(second.opsUrl)) === PARTITIONS,
  )
  const { touch } = await storeUntold(3_000)
  await first.stop()
  // More than two stores at one time may be apart.
  await delay(1_500)
  const third = await w.start()
  await second.stop()
  await eventually('the rest', async () => (await ownedBy(third.opsUrl)) === PARTITIONS)
  t.equal(await touch(), PARTITIONS)
  await third.stop()
})

t.test('what an owner that lives has told its successors do not tell again', async (t) => {
  const first = await w.start()
  // As long as anything may be young that somebody before it stored.
  await delay(10_500)
  const { touch } = await storeUntold(2_000)
  await delay(1_500)
  const second = await w.start()
  await eventually(
    'its share',
    async () => (await ownedBy(first.opsUrl)) + (await ownedBy(second.opsUrl)) === PARTITIONS,
  )
  const third = await w.start()
  await first.stop()
  await second.stop()
  await eventually('the rest', async () => (await ownedBy(third.opsUrl)) === PARTITIONS)
  t.equal(await touch(), 0)
  await third.stop()
})

t.test('who was not heard for a while, and heard the others, gives no word on what is told', async (t) => {
  const proxy = await startTcpProxy(w.environment.NATS_URL)
  t.teardown(() => proxy.stop())
  const first = await w.start({ NATS_URL: proxy.url })
  await delay(10_500)
  // Long enough for others to take it for dead, and to store and die in its place.
  proxy.impair({ kind: 'blackhole', direction: 'upstream' })
  await delay(3_000)
  proxy.mend()
  const words: (number[] | undefined)[] = []
  const said = bus.subscribe(subjects.messageInstances, ({ data }) => {
    const { instance, handsOver } = messageInstance.parse(JSON.parse(Buffer.from(data).toString()))
    if (instance === first.instance) words.push(handsOver)
  })
  await bus.flush()
  const second = await w.start()
  await eventually(
    'its share',
    async () => (await ownedBy(first.opsUrl)) + (await ownedBy(second.opsUrl)) === PARTITIONS,
  )
  const heard = words.length
  await eventually('its next announcement', () => words.length > heard)
  t.same(words.filter(Boolean), [])
  said.unsubscribe()
  await first.stop()
  await second.stop()
})

t.test('a process configured with another number of partitions is not ready and says so', async (t) => {
  const odd = await w.start({ PARTITIONS: String(PARTITIONS + 1) })
  const { status, body } = await ready(odd.opsUrl)
  t.equal(status, 503)
  t.match(body, { ready: false, waitingFor: { partitions: /PARTITIONS is 9, but this database was begun with 8/ } })
  t.equal(await ownedBy(odd.opsUrl), 0)
  await odd.stop()
})

t.test('without Redis it starts, is ready, and delivers to every live gateway', async (t) => {
  const service = await w.start({ REDIS_URL: 'redis://127.0.0.1:1' })
  t.equal((await ready(service.opsUrl)).status, 200)
  await eventually('the gateway to be known', async () => {
    await gateway.send(gateway.entry('301', { user: '302' }))
    return gateway.messages('p301-302').length > 0
  })
  await service.stop()
})

t.test('a bind is confirmed by every instance, and the next message finds the user there', async (t) => {
  const service = await w.start()
  await gateway.send(gateway.entry('401', { user: '402' }))
  const two = await fakeGateway(await w.connect('gateway-2'), 'node-2')
  t.teardown(() => two.stop())
  const replies = await bus.gather(subjects.presenceBind, JSON.stringify({ node: 'node-2', users: ['402'] }), {
    enough: (all) => all.length === 1,
    timeoutMs: 5_000,
  })
  t.same(presenceConfirmed.parse(JSON.parse(Buffer.from(replies[0]!).toString())), { instance: service.instance })
  await gateway.send(gateway.entry('401', { user: '402' }))
  await eventually('the frame on node 2', () => two.messages('p401-402').some(({ item }) => item.users.includes('402')))
  await service.stop()
})

t.test('a user who was looked up before a gateway was known is looked for there once it lives', async (t) => {
  const service = await w.start()
  await gateway.send(gateway.entry('411', { user: '412' }))
  // It has no keys in Redis: whose sockets it holds is not known, so it may hold anybody's.
  const late = await fakeGateway(await w.connect('gateway-3'), 'node-3')
  t.teardown(() => late.stop())
  await eventually('a frame on the late gateway', async () => {
    await gateway.send(gateway.entry('411', { user: '412' }))
    return late.messages('p411-412').length > 0
  })
  await service.stop()
})

t.test('a leaver says so in its last announcement', async (t) => {
  const said: boolean[] = []
  bus.subscribe(subjects.messageInstances, ({ data }) => {
    said.push(messageInstance.parse(JSON.parse(Buffer.from(data).toString())).leaving)
  })
  await bus.flush()
  const service = await w.start()
  await eventually('an announcement', () => said.length > 0)
  await service.stop()
  await eventually('the last one', () => said.at(-1) === true)
  t.equal(said.filter(Boolean).length, 1)
})

t.test('a successor tells a leaver that it has taken over', async (t) => {
  const [leaver, successor] = [await w.start(), await w.start()]
  const said: { instance: string; relieves?: string | undefined; leaving: boolean }[] = []
  bus.subscribe(subjects.messageInstances, ({ data }) => {
    said.push(messageInstance.parse(JSON.parse(Buffer.from(data).toString())))
  })
  await bus.flush()
  await leaver.stop()
  await eventually('the word of the successor', () => said.some(({ relieves }) => relieves !== undefined))
  t.same(
    said.filter(({ leaving, relieves }) => leaving || relieves).map(({ instance, relieves }) => [instance, relieves]),
    [
      [leaver.instance, undefined],
      [successor.instance, leaver.instance],
    ],
  )
  await successor.stop()
})
