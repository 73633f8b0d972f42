import { messageInstance, ownerOf, presenceConfirmed, subjects } from '@qunxin/contracts'
import t from 'tap'
import { eventually, fakeGateway, fakeGroups, ownedBy, PARTITIONS, world } from './harness.ts'

t.setTimeout(120_000)
const w = await world()
t.teardown(() => w.end())
const bus = await w.connect('gateway')
const gateway = await fakeGateway(bus, 'node-1')
t.teardown(() => gateway.stop())
fakeGroups(await w.connect('group-service'))
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
