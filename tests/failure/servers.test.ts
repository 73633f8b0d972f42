import { Redis } from 'ioredis'
import t from 'tap'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import { testSystem } from '../system.ts'
import { killAndWait } from './processes.ts'

const system = await testSystem(t, { ownServers: true })
const newPerson = people(t, system)

t.test('a message right after Redis was flushed is delivered (interleaving 9)', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const [sender, receiver] = [await one.socket(), await two.socket({ gateway: 1 })]
  const redis = new Redis(system.system.devstack.redisUrl)
  await redis.flushall()
  await sender.message({ toUserId: two.number, contentStr: 'after the flush' })
  t.match(await receiver.next('message'), { contentStr: 'after the flush' })
  const key = `presence:{${two.id}}`
  await eventually(async () => (await redis.hlen(key)) === 1, 'the socket is written again within a heartbeat')
  redis.disconnect()
})

t.test('while Redis is dead sends, deliveries and new connections go on', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const [sender, receiver] = [await one.socket(), await two.socket({ gateway: 1 })]
  process.kill(system.pid('redis-server'), 'SIGKILL')
  await sender.message({ toUserId: two.number, contentStr: 'without Redis' })
  t.match(await receiver.next('message'), { contentStr: 'without Redis' })
  const late = await two.socket()
  await sender.message({ toUserId: two.number, contentStr: 'to the late one' })
  t.match(await late.next('message', ({ contentStr }) => contentStr === 'to the late one'), { seq: 2 })
})

t.test('after NATS was killed everything goes on by itself, and what was sent meanwhile arrives', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const [sender, receiver] = [await one.client(), await two.socket({ gateway: 1 })]
  await sender.send({ to: two.id, text: 'before' })
  const back = killAndWait(system, 'nats-server')
  const sent = sender.send({ to: two.id, text: 'meanwhile' })
  await back
  t.match(await sent, { seq: 2 })
  await receiver.next('message', ({ contentStr }) => contentStr === 'meanwhile')
  t.same(receiver.texts, ['before', 'meanwhile'])
})

t.test(
  'after MongoDB was killed nothing acknowledged is gone, and what was sent meanwhile is stored once',
  async (t) => {
    const [one, two] = [await newPerson(), await newPerson()]
    const [sender, receiver] = [await one.client(), await two.socket({ gateway: 1 })]
    const before = await Promise.all(
      Array.from({ length: 50 }, (_, i) => sender.send({ to: two.id, text: `before ${i}` })),
    )
    const back = killAndWait(system, 'mongod')
    const during = Promise.all(Array.from({ length: 50 }, (_, i) => sender.send({ to: two.id, text: `during ${i}` })))
    await back
    const acks = [...before, ...(await during)]
    t.same(
      acks.map(({ seq }) => seq),
      acks.map((_, i) => i + 1),
    )
    await eventually(() => receiver.texts.length >= 100, 'the receiver has everything')
    const expected = ['before', 'during'].flatMap((when) => Array.from({ length: 50 }, (_, i) => `${when} ${i}`))
    t.same(receiver.texts, expected)
    const { data } = await two.post('/chat/chat!loadChatRecords', { chatUserId: one.id, pageSize: 200 })
    t.same(
      data.recordList.map(({ msg }: { msg: string }) => msg),
      expected,
    )
  },
)
