import { randomUUID } from 'node:crypto'
import t from 'tap'
import { people } from '../people.ts'
import { testSystem } from '../system.ts'
import { readConversation } from './conversation-log.ts'
import { killAndWait } from './processes.ts'

const system = await testSystem(t)
const newPerson = people(t, system)

t.test('the same msgId after a restart of message-service is the same message, shown once', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const [sender, receiver] = [await one.socket(), await two.socket({ gateway: 1 })]
  const message = { toUserId: two.number, msgId: randomUUID(), contentStr: 'once' }
  const first = await sender.message(message)
  await receiver.next('message')
  await killAndWait(system, 'message-service-1')
  const { duplicate, ...again } = await sender.message(message)
  t.equal(duplicate, true)
  t.same(again, first, 'with the original seq and time')
  t.match(await sender.message({ toUserId: two.number, contentStr: 'next' }), { seq: 2 })
  await receiver.next('message', ({ contentStr }) => contentStr === 'next')
  t.same(receiver.texts, ['once', 'next'])
  t.same(
    (await readConversation(one, { chatUserId: two.id })).map(({ msg }) => msg),
    ['once', 'next'],
  )
})

t.test('a send while message-service is dead is acknowledged when it is back', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const sender = await one.client({ gateway: 1 })
  const receiver = await two.socket()
  const back = killAndWait(system, 'message-service-1')
  const { seq } = await sender.send({ to: two.id, text: 'into the dark' })
  await back
  t.equal(seq, 1)
  t.match(await receiver.next('message'), { contentStr: 'into the dark', seq: 1 })
})

t.test(
  'while group-service is dead messages to known groups go on or are refused as away, and calls come back',
  async (t) => {
    const [one, two] = [await newPerson(), await newPerson()]
    const group = { groupName: 'g', memberIds: [one.number, two.number] }
    const { groupId } = (await one.post('/chat/group!createGroup', group)).data
    const sender = await one.client()
    const receiver = await two.socket({ gateway: 1 })
    await sender.send({ group: groupId, text: 'before' })
    const back = killAndWait(system, 'group-service-1')
    await sender.send({ group: groupId, text: 'meanwhile' })
    await back
    t.match((await one.post('/chat/group!groupList')).data, { success: true, groupList: [{ groupId }] })
    await receiver.next('message', ({ contentStr }) => contentStr === 'meanwhile')
    t.same(receiver.texts, ['before', 'meanwhile'])
  },
)

t.test('users of a killed gateway come back on it or elsewhere and miss nothing', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const sender = await one.client()
  const receiver = await two.client({ gateway: 1 })
  const texts: string[] = []
  receiver.on('message', ({ contentStr }) => texts.push(contentStr))
  await sender.send({ to: two.id, text: '1' })
  const back = killAndWait(system, 'gateway-2')
  await sender.send({ to: two.id, text: '2' })
  await back
  await receiver.ready
  await sender.send({ to: two.id, text: '3' })
  const third = new Promise((resolve) =>
    receiver.on('message', ({ contentStr }) => contentStr === '3' && resolve(null)),
  )
  if (!texts.includes('3')) await third
  t.same(texts, ['1', '2', '3'])
})
