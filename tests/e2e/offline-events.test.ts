import { randomUUID } from 'node:crypto'
import { connect } from '@nats-io/transport-node'
import type { OfflineFact, StoredFact } from '@qunxin/contracts'
import t from 'tap'
import { eventually } from '../eventually.ts'
import { type Person, people } from '../people.ts'
import { testSystem } from '../system.ts'

const system = await testSystem(t, { messageServices: 2 })
const newPerson = people(t, system)
const { username, password, host } = new URL(system.system.natsUrl)
const nats = await connect({ servers: host, user: username, pass: password })
t.teardown(() => nats.close())

/** As a push provider reads them; behind `stored` it is known that a message was told of. */
function factsOf<Fact>(what: 'stored' | 'offline'): Fact[] {
  const facts: Fact[] = []
  nats.subscribe(`${system.subjectPrefix}.event.message.${what}`, {
    callback: (_error, event) => {
      facts.push(...event.json<Fact[]>())
    },
  })
  return facts
}
const offline = factsOf<OfflineFact>('offline')
const stored = factsOf<StoredFact>('stored')
await nats.flush()

const send = async (from: Person, to: { toUserId: number } | { sessionId: string }, contentStr = 'hello') => {
  const message = { sessionId: '', toUserId: 0, msgId: randomUUID(), msgContentType: '1', contentStr, ...to }
  t.match((await from.post('/chat/chat!sendMessage', message)).data, { success: true })
  return message.msgId
}
const told = async (msgId: string) => {
  await eventually(() => offline.some((fact) => fact.msgId === msgId), 'somebody is told of as offline')
  return offline.filter((fact) => fact.msgId === msgId)
}

t.test('who has no connection is in the event, with the message; who has one is not', async (t) => {
  const [one, there, away] = [await newPerson(), await newPerson(), await newPerson()]
  await there.socket({ gateway: 1 })
  const toThere = await send(one, { toUserId: there.number })
  const [fact] = await told(await send(one, { toUserId: away.number }, '你好'))
  t.match(fact, { sessionId: '', fromUserId: one.id, toUserId: away.id, seq: 1, msgContentType: 1, contentStr: '你好' })
  t.same(fact?.userIds, [away.id])
  t.notOk(fact && 'mutedUserIds' in fact)

  const socket = await away.socket()
  t.match(await socket.next('message'), { contentStr: '你好' }, 'and they get it when they come')
  const whileThere = await send(one, { toUserId: away.number })
  socket.socket.close()
  await socket.closed
  let afterwards = ''
  await eventually(async () => {
    afterwards = await send(one, { toUserId: away.number })
    await eventually(() => stored.some(({ msgId }) => msgId === afterwards), 'it is told of as stored')
    return offline.some(({ msgId }) => msgId === afterwards)
  }, 'whoever hung up is offline')
  t.notOk(offline.some(({ msgId }) => msgId === toThere || msgId === whileThere))
})

t.test('of a group those who are away are named together, and who muted it by name', async (t) => {
  const owner = await newPerson()
  const [there, quiet, away] = [await newPerson(), await newPerson(), await newPerson()]
  const memberIds = [there, quiet, away].map(({ number }) => number)
  const created = await owner.post('/chat/group!createGroup', { groupName: 'g', memberIds })
  const sessionId: string = created.data.groupId
  await there.socket()
  const mute = (muted: boolean) => quiet.post('/chat/chat!muteConversation', { sessionId, muted })
  t.match((await mute(true)).data, { success: true })
  const [fact, ...more] = await told(await send(owner, { sessionId }))
  t.same(more, [])
  t.match(fact, { sessionId, fromUserId: owner.id, toUserId: '', mutedUserIds: [quiet.id] })
  t.same(fact?.userIds.toSorted(), [quiet.id, away.id].sort())
  t.match((await mute(false)).data, { success: true })
  const [later] = await told(await send(owner, { sessionId }))
  t.notOk(later && 'mutedUserIds' in later, 'until they change their mind')
})

t.test('a message sent twice, and one taken back, are no news', async (t) => {
  const [one, away] = [await newPerson(), await newPerson()]
  const message = { sessionId: '', toUserId: away.number, msgId: randomUUID(), msgContentType: '1', contentStr: 'oh' }
  for (let time = 1; time <= 3; time++)
    t.match((await one.post('/chat/chat!sendMessage', message, { gateway: time })).data, { seq: 1 })
  const recall = { sessionId: '', peerUserId: away.number, seq: 1 }
  t.match((await one.post('/chat/chat!recallMessage', recall)).data, { success: true })
  await told(await send(one, { toUserId: away.number }))
  const theirs = offline.filter(({ userIds }) => userIds.includes(away.id))
  t.same(
    theirs.map(({ seq }) => seq),
    [1, 3],
  )
  await eventually(() => stored.some(({ change }) => change?.seq === 1), 'the recall is told of as stored')
})
