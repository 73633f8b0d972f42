import { connect, headers } from '@nats-io/transport-node'
import type { ChatClient } from '@qunxin/client'
import type { MsgModel, SendOutput } from '@qunxin/contracts'
import t, { type Test } from 'tap'
import { eventually } from '../eventually.ts'
import { type Person, people } from '../people.ts'
import type { Data } from '../raw-socket.ts'
import { testSystem } from '../system.ts'
import { readConversation } from './conversation-log.ts'
import { type Steady, steadily } from './steadily.ts'

const PAIRS = 10
const ASK_EVERY_MS = 50
const SEND_EVERY_MS = 150
/** Before the next is restarted. */
const MORE = 100
const BACK_MS = 30_000
const GRACE_MS = 30_000

const system = await testSystem(t, { gateways: 2, groupServices: 2, messageServices: 2, restartWithinMs: 500 })
const newPerson = people(t, system)
const { username, password, host } = new URL(system.system.natsUrl)
const nats = await connect({ servers: host, user: username, pass: password, inboxPrefix: '_INBOX_integration' })
t.teardown(() => nats.close())

/** As another back-end service calls. */
async function ask(operation: string, input: unknown, user: string): Promise<Data> {
  const as = headers()
  as.set('Im-User', user)
  const subject = `${system.subjectPrefix}.${operation}`
  return (await nats.request(subject, JSON.stringify(input), { headers: as, timeout: 8_000 })).json()
}

/** Longest time without a connection, over everybody. */
let longestAwayMs = 0
const closes: number[] = []
const clients: ChatClient[] = []

/** A client that knows only the seeds, and the addresses of all gateways. */
async function connected(first: number) {
  const person = await newPerson()
  const messages: MsgModel[] = []
  let attempt = first
  let lostAt: number | undefined
  const client = await person.client({
    url: () => system.urls[attempt++ % system.urls.length] as string,
    sendTimeoutMs: 60_000,
  })
  clients.push(client)
  client.on('message', (message) => messages.push(message))
  client.on('close', ({ code }) => {
    closes.push(code)
    lostAt ??= performance.now()
  })
  client.on('state', (state) => {
    if (state !== 'bound' || lostAt === undefined) return
    longestAwayMs = Math.max(longestAwayMs, performance.now() - lostAt)
    lostAt = undefined
  })
  return { person, client, messages }
}

type Connected = Awaited<ReturnType<typeof connected>>

interface Conversation {
  name: string
  sends: Steady<SendOutput>[]
  reader: Person
  named: { chatUserId: string } | { groupId: string }
  shown: readonly Connected[]
}

function sending(name: string, client: ChatClient, to: { to: string } | { group: string }): Steady<SendOutput> {
  return steadily(SEND_EVERY_MS, (i) => client.send({ ...to, text: `${name}-${i}`, msgId: `${name}-${i}` }))
}

async function newPair(i: number): Promise<Conversation> {
  const [one, two] = [await connected(i), await connected(i + 1)]
  const name = `pair${i}`
  const sends = [sending(name, one.client, { to: two.person.id })]
  return { name, sends, reader: one.person, named: { chatUserId: two.person.id }, shown: [two] }
}

async function newGroup(): Promise<Conversation> {
  const members = await Promise.all([0, 1, 0, 1].map(connected))
  const reader = members[0]!.person
  const group = { groupName: 'g', memberIds: members.map(({ person }) => person.number) }
  const { groupId } = (await reader.post('/chat/group!createGroup', group)).data
  const sends = members.map(({ client }, i) => sending(`member${i}`, client, { group: groupId }))
  return { name: 'group', sends, reader, named: { groupId }, shown: members }
}

async function check(t: Test, { name, sends, reader, named, shown }: Conversation): Promise<void> {
  const records = await readConversation(reader, named)
  const seqs = records.map(({ seq }) => seq)
  const inPlace = seqs.every((seq, i) => seq === i + 1)
  t.ok(inPlace, `${name}: seq is 1 to n without a hole`)
  t.equal(new Set(records.map(({ msg_id }) => msg_id)).size, records.length, `${name}: nothing is stored twice`)
  const wrong = sends
    .flatMap(({ outcomes }) => outcomes)
    .filter(({ seq, msgId }) => records[seq - 1]?.msg_id !== msgId)
    .map(({ msgId, seq }) => `${msgId} at ${seq}`)
  t.same(wrong, [], `${name}: everything acknowledged is where its acknowledgement said`)
  for (const { person, messages } of shown) {
    const expected = records.filter(({ fromId }) => fromId !== person.id).map(({ seq }) => seq)
    // A message may come again on the next connection; where it is new, it is in its place.
    const seen = () => [...new Set(messages.map(({ seq }) => seq))]
    await eventually(() => seen().length >= expected.length, `${name}: everything has reached ${person.id}`)
    t.same(seen(), expected, `${name}: everything was shown in order`)
  }
}

t.test('every service is restarted in turn under load, and nobody loses anything', async (t) => {
  const conversations = [...(await Promise.all(Array.from({ length: PAIRS }, (_, i) => newPair(i)))), await newGroup()]
  const bySocket = conversations.flatMap(({ sends }) => sends)
  const acknowledged = () => bySocket.reduce((sum, { outcomes }) => sum + outcomes.length, 0)

  const [web, service, target] = [await newPerson(), await newPerson(), await newPerson()]
  const toTarget = { toUserId: target.number, sessionId: '', msgContentType: '1' }
  const post = (path: string, data: (i: number) => unknown) =>
    steadily(ASK_EVERY_MS, (i) => web.post(path, data(i), { gateway: i }))
  const webSends = post('/chat/chat!sendMessage', (i) => ({ ...toTarget, msgId: `web-${i}`, contentStr: 'web' }))
  const webLists = post('/chat/group!groupList', () => undefined)
  const rooms = steadily(ASK_EVERY_MS, async (i) => (await fetch(`${system.urls[i % 2]}/canConnect`)).status)
  const backEndSends = steadily(ASK_EVERY_MS, (i) =>
    ask('message.send', { ...toTarget, msgId: `service-${i}`, contentStr: 'service' }, service.id),
  )
  const backEndLists = steadily(ASK_EVERY_MS, () => ask('group.groupsOfUser', { userId: service.number }, service.id))
  const requests = [webSends, webLists, rooms, backEndSends, backEndLists]

  const names = ['message-service', 'gateway', 'group-service'].flatMap((kind) => [`${kind}-1`, `${kind}-2`])
  for (const name of names) {
    const before = acknowledged()
    await eventually(() => acknowledged() >= before + MORE, `it works before ${name} is restarted`)
    const { code, drainMs, readyMs } = await system.system.process(name).restart(GRACE_MS)
    t.comment(`${name}: ${drainMs} ms to its end, ${readyMs} ms to its successor`)
    t.equal(code, 0, `${name} ends with 0`)
    t.ok(drainMs < GRACE_MS, `${name} ends in time`)
    await eventually(() => clients.every(({ bound }) => bound !== undefined), 'everybody is back', BACK_MS)
  }
  for (const one of [...bySocket, ...requests]) await one.stop()

  t.comment(`${acknowledged()} acknowledged, nobody was away longer than ${Math.round(longestAwayMs)} ms`)
  t.ok(longestAwayMs < BACK_MS, 'everybody was back in time')
  t.same([...new Set(closes)], [1001], 'nobody was cut off')
  const unsent = bySocket.flatMap(({ faults }) => faults)
  t.same(unsent, [], 'every send was acknowledged')
  const statuses = new Set([
    ...[...webSends.outcomes, ...webLists.outcomes].map(({ status }) => status),
    ...rooms.outcomes,
  ])
  t.same([...statuses], [200], 'HTTP answered nothing else')
  for (const { outcomes, faults } of [backEndSends, backEndLists]) {
    const refused = outcomes.filter(({ ok }) => !ok)
    t.same(refused, [], 'no request of a back-end service was refused')
    t.same(faults, [], 'or left without an answer')
  }

  for (const conversation of conversations) await check(t, conversation)
  const answered = {
    web: webSends.outcomes.map(({ data }) => data.msgId),
    service: backEndSends.outcomes.map(({ result }) => result.msgId),
  }
  for (const [reader, acknowledged] of [
    [web, answered.web],
    [service, answered.service],
  ] as const) {
    const ids = (await readConversation(reader, { chatUserId: target.id })).map(({ msg_id }) => msg_id)
    const lost = acknowledged.filter((msgId) => !ids.includes(msgId))
    t.same(lost, [], 'everything acknowledged is stored')
    t.equal(new Set(ids).size, ids.length, 'and nothing twice')
  }
})
