import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '@nats-io/transport-node'
import type { OfflineFact } from '@qunxin/contracts'
import t from 'tap'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import { testSystem } from '../system.ts'

const PAIRS = 16
const PATIENCE_MS = 90_000

const system = await testSystem(t, { messageServices: 2 })
const newPerson = people(t, system)
const { username, password, host } = new URL(system.system.natsUrl)
const nats = await connect({ servers: host, user: username, pass: password })
t.teardown(() => nats.close())
/** `<msgId> <user>` of everybody told of as offline. */
const told = new Set<string>()
nats.subscribe(`${system.subjectPrefix}.event.message.offline`, {
  callback: (_error, event) => {
    for (const { msgId, userIds } of event.json<OfflineFact[]>())
      for (const user of userIds) told.add(`${msgId} ${user}`)
  },
})
await nats.flush()

t.test('a gateway and an owner are killed together: every message was shown, or its receiver is told of', async (t) => {
  const pairs = await Promise.all(
    Array.from({ length: PAIRS }, async () => {
      const [from, to] = [await newPerson(), await newPerson()]
      // They do not come back.
      return { from, to, socket: await to.socket({ gateway: 1 }) }
    }),
  )
  const sent: { msgId: string; user: string; shown(): boolean }[] = []
  let writing = true
  const written = Promise.all(
    pairs.map(async ({ from, to, socket }) => {
      while (writing) {
        const msgId = randomUUID()
        const data = { toUserId: to.number, sessionId: '', msgId, msgContentType: '1', contentStr: 'hello' }
        // The same again until it is stored.
        while (!(await from.post('/chat/chat!sendMessage', data).catch(() => undefined))?.data.success) await delay(50)
        const shown = () => socket.frames.some(({ tag, data }) => tag === 'message' && data.msgId === msgId)
        sent.push({ msgId, user: to.id, shown })
      }
    }),
  )
  await eventually(
    () => pairs.every(({ socket }) => socket.frames.some(({ tag }) => tag === 'message')),
    'all are shown',
  )
  process.kill(system.pid('gateway-2'), 'SIGKILL')
  process.kill(system.pid('message-service-1'), 'SIGKILL')
  const killed = sent.length
  await eventually(() => sent.length > killed + 10 * PAIRS, 'it goes on')
  writing = false
  await written
  const missing = () => sent.filter(({ msgId, user, shown }) => !told.has(`${msgId} ${user}`) && !shown())
  await eventually(() => missing().length === 0, 'every message was shown, or its receiver is told of', PATIENCE_MS)
  t.ok(told.size > PAIRS)
})
