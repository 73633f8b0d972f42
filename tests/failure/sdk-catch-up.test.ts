import type { ChatClient } from '@qunxin/client'
import t from 'tap'
import { eventually } from '../eventually.ts'
import { type Person, people } from '../people.ts'
import { testSystem } from '../system.ts'
import { killAndWait } from './processes.ts'
import { steadily } from './steadily.ts'

const SEND_EVERY_MS = 20

const system = await testSystem(t, { messageServices: 2 })
const newPerson = people(t, system)

/** A client that syncs, on whichever gateway takes it, and the texts it is given, by who said them where. */
async function syncing(person: Person, first: number) {
  let attempt = first
  const client = await person.client({
    url: () => system.urls[attempt++ % system.urls.length] as string,
    sync: true,
    sendTimeoutMs: 60_000,
  })
  const given = new Map<string, string[]>()
  const own: string[] = []
  client.on('message', ({ sessionId, fromUserId, contentStr }) => {
    if (fromUserId === person.number) own.push(contentStr)
    const texts = given.get(sessionId) ?? []
    given.set(sessionId, texts)
    texts.push(contentStr)
  })
  return { client, given, own }
}

const sending = (client: ChatClient, to: { to: string } | { group: string }) =>
  steadily(SEND_EVERY_MS, (i) => client.send({ ...to, text: `${i}` }))

t.test('over killed gateways and message-services an application is given everything, once and in order', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const memberIds = [one.number, two.number]
  const { groupId } = (await one.post('/chat/group!createGroup', { groupName: 'g', memberIds })).data
  const [a, b] = [await syncing(one, 0), await syncing(two, 1)]
  const ways = [
    { sessionId: '', steady: sending(a.client, { to: two.id }), given: b.given, receiver: two },
    { sessionId: groupId, steady: sending(b.client, { group: groupId }), given: a.given, receiver: one },
  ]
  // What is new while a client is away it is told of, and not given.
  await eventually(() => ways.every(({ given, sessionId }) => given.has(sessionId)), 'both have begun')
  for (const name of ['gateway-1', 'message-service-1', 'gateway-2', 'message-service-2'])
    await killAndWait(system, name)
  await Promise.all(ways.map(({ steady }) => steady.stop()))
  for (const { steady, given, sessionId } of ways) {
    const said = [...steady.outcomes.keys()].map(String)
    const texts = () => given.get(sessionId) ?? []
    await eventually(() => texts().length >= said.length, `everything is given of ${sessionId || 'the two'}`)
    t.same(steady.faults, [])
    t.same(texts(), said)
  }
  t.same([...a.own, ...b.own], [], 'nobody is given what they said themselves')
  for (const { sessionId, receiver } of ways) {
    await eventually(async () => {
      const { data } = await receiver.post('/chat/chat!conversationList')
      const found = data.conversations.find((one: { sessionId: string }) => one.sessionId === sessionId)
      return found.deliveredSeq === found.lastSeq
    }, 'everything counts as received')
  }
})
