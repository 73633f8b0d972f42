import { setTimeout as delay } from 'node:timers/promises'
import { connect, createInbox } from '@nats-io/transport-node'
import t from 'tap'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import type { Data } from '../raw-socket.ts'
import { testSystem } from '../system.ts'
import { readConversation } from './conversation-log.ts'
import { killAndWait } from './processes.ts'
import { steadily } from './steadily.ts'

const system = await testSystem(t, { ownServers: true, messageServices: 2, groupServices: 2, restartWithinMs: 500 })
const newPerson = people(t, system)
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

/** Everything in the stream so far, by subject, as another back-end service reads it. */
async function published(): Promise<{ subject: string; data: Data }[]> {
  const { username, password, host } = new URL(system.system.natsUrl)
  const inboxPrefix = '_INBOX_integration'
  const nats = await connect({ servers: host, user: username, pass: password, inboxPrefix })
  const { state } = (await nats.request('$JS.API.STREAM.INFO.IM_EVENTS')).json<Data>()
  const events: { subject: string; data: Data }[] = []
  const inbox = createInbox(inboxPrefix)
  const subscription = nats.subscribe(inbox)
  const config = { deliver_policy: 'all', ack_policy: 'none', deliver_subject: inbox }
  await nats.request('$JS.API.CONSUMER.CREATE.IM_EVENTS', JSON.stringify({ stream_name: 'IM_EVENTS', config }))
  if (state.messages > 0)
    for await (const message of subscription) {
      events.push({ subject: message.subject, data: message.json() })
      if (events.length === state.messages) break
    }
  await nats.close()
  return events
}

async function storedSeqs(groupId: string): Promise<Set<number>> {
  const facts = (await published()).flatMap(({ subject, data }) =>
    subject === 'im.event.message.stored' ? (data as unknown as Data[]) : [],
  )
  return new Set(facts.filter(({ sessionId }) => sessionId === groupId).map(({ seq }) => seq))
}

t.test(`whatever is killed, what is in the log is in the stream of events (SEED=${seed})`, async (t) => {
  const owner = await newPerson()
  const { groupId } = (await owner.post('/chat/group!createGroup', { groupName: 'g', memberIds: [] })).data
  const sender = await owner.client()
  const notices: string[] = []
  const sending = steadily(20, (number) => sender.send({ group: groupId, text: `${number}` }))
  const changing = steadily(100, async (number) => {
    const { data } = await owner.post('/chat/group!updateGroup', { groupId, notice: `${number}` })
    if (data.success) notices.push(`${number}`)
  })
  const names = ['message-service-1', 'group-service-1', 'nats-server', 'message-service-2', 'group-service-2']
  let state = seed
  for (const name of names) {
    state = (state * 48_271) % 2_147_483_647
    await delay(state % 1_000)
    await killAndWait(system, name)
  }
  await changing.stop()
  await sending.stop()
  const log = await readConversation(owner, { groupId })
  t.ok(log.length > 50, `${log.length} messages`)
  await eventually(async () => {
    const seqs = await storedSeqs(groupId)
    return log.every(({ seq }) => seqs.has(seq))
  }, 'every message is in the stream')
  await eventually(async () => {
    const updates = (await published()).filter(
      ({ subject, data }) => subject === 'im.event.group.updated' && data.groupId === groupId,
    )
    return updates.length >= notices.length
  }, 'every change is in the stream')
})
