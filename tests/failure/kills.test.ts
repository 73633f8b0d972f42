import type { MsgModel } from '@qunxin/contracts'
import t from 'tap'
import { eventually } from '../eventually.ts'
import { type Person, people } from '../people.ts'
import { testSystem } from '../system.ts'
import { readConversation } from './conversation-log.ts'
import { killAndWait } from './processes.ts'
import { type Stream, startTraffic } from './traffic.ts'

const KILLS = 10
const PER_SECOND = 1_000
const ACKNOWLEDGED = 10_000
const PAIRS = 12
const GROUPS = 2

interface Conversation {
  name: string
  streams: Stream[]
  reader: Person
  named: { chatUserId: string } | { groupId: string }
  /** What each connected receiver was shown, in order. */
  received: { who: string; messages: MsgModel[] }[]
}

// What is tested are the kills, not how a supervisor slows down a process that keeps failing.
const system = await testSystem(t, { restartWithinMs: 500 })
const newPerson = people(t, system)
/** Codes of connections that got lost; none has a reason to. */
const closes: number[] = []

async function connected(gateway: number) {
  const person = await newPerson()
  const client = await person.client({ gateway, sync: true, sendTimeoutMs: 120_000 })
  const messages: MsgModel[] = []
  client.on('message', (message) => messages.push(message))
  client.on('close', ({ code }) => closes.push(code))
  return { person, client, messages }
}

/** Two users on two gateways who both write and both read. */
async function newPair(index: number): Promise<Conversation> {
  const [one, two] = [await connected(0), await connected(1)]
  const name = `pair${index}`
  return {
    name,
    streams: [
      { name: `${name}a`, client: one.client, to: { to: two.person.id } },
      { name: `${name}b`, client: two.client, to: { to: one.person.id } },
    ],
    reader: one.person,
    named: { chatUserId: two.person.id },
    received: [
      { who: 'a', messages: one.messages },
      { who: 'b', messages: two.messages },
    ],
  }
}

async function newGroup(index: number): Promise<Conversation> {
  const members = await Promise.all([0, 1, 0, 1].map((gateway) => connected(gateway)))
  const [owner] = members as [(typeof members)[0]]
  const memberIds = members.map(({ person }) => person.number)
  const name = `group${index}`
  const { groupId } = (await owner.person.post('/chat/group!createGroup', { groupName: name, memberIds })).data
  return {
    name,
    streams: members
      .slice(0, 2)
      .map(({ client }, i) => ({ name: `${name}${'ab'[i]}`, client, to: { group: groupId } })),
    reader: owner.person,
    named: { groupId },
    received: members.map(({ messages }, i) => ({ who: 'abcd'[i] as string, messages })),
  }
}

t.test(`${KILLS} kill -9 of message-service under ${PER_SECOND} sends a second`, async (t) => {
  const conversations = [
    ...(await Promise.all(Array.from({ length: PAIRS }, (_, i) => newPair(i)))),
    ...(await Promise.all(Array.from({ length: GROUPS }, (_, i) => newGroup(i)))),
  ]
  const traffic = startTraffic(
    conversations.flatMap(({ streams }) => streams),
    PER_SECOND,
  )
  for (let kill = 1; kill <= KILLS; kill++) {
    const before = traffic.acknowledged.length
    await eventually(() => traffic.acknowledged.length >= before + PER_SECOND / 2, `it works before kill ${kill}`)
    await killAndWait(system, 'message-service-1')
    t.comment(`kill ${kill}: ${traffic.acknowledged.length} of ${traffic.sent} acknowledged`)
  }
  await eventually(() => traffic.acknowledged.length >= ACKNOWLEDGED, 'enough was acknowledged')
  await traffic.stop()
  t.comment(`${traffic.acknowledged.length} acknowledged`)
  t.same(traffic.refused.slice(0, 3), [], 'every send was acknowledged in the end')

  t.same(closes, [], 'no client lost its gateway')

  for (const { name, streams, reader, named, received } of conversations) {
    const acknowledged = traffic.acknowledged.filter(({ stream }) => streams.includes(stream))
    const records = await readConversation(reader, named)
    t.same(
      records.map(({ seq }) => seq),
      records.map((_, i) => i + 1),
      `${name}: seq is 1 to n without a hole`,
    )
    t.equal(new Set(records.map(({ msg_id }) => msg_id)).size, records.length, `${name}: nothing is stored twice`)
    const wrong = acknowledged.filter(({ seq, msgId }) => records[seq - 1]?.msg_id !== msgId)
    t.same(
      wrong.map(({ msgId, seq }) => `${msgId} at ${seq}`),
      [],
      `${name}: everything acknowledged is where its acknowledgement said`,
    )
    for (const stream of streams) {
      const own = records.flatMap(({ msg }) => (msg.startsWith(`${stream.name}-`) ? [Number(msg.split('-')[1])] : []))
      t.same(
        own,
        own.toSorted((a, b) => a - b),
        `${stream.name}: stored in the order it was sent`,
      )
    }
    for (const { who, messages } of received) {
      const expected = acknowledged.filter(({ stream }) => !stream.name.endsWith(who)).map(({ seq }) => seq)
      const has = () => new Set(messages.map(({ seq }) => seq))
      await eventually(() => expected.every((seq) => has().has(seq)), `${name}: all acknowledged have reached ${who}`)
      const seqs = messages.map(({ seq }) => seq)
      t.ok(
        seqs.every((seq, i) => i === 0 || seq > (seqs[i - 1] as number)),
        `${name}: ${who} was shown everything once and in order`,
      )
    }
  }
})
