import type { ChatClient, ConnectOptions, WebSocketClass } from '@qunxin/client'
import t from 'tap'
import { WebSocket } from 'ws'
import { eventually } from '../eventually.ts'
import { type Person, people } from '../people.ts'
import { testSystem } from '../system.ts'

const system = await testSystem(t, { messageServices: 2 })
const newPerson = people(t, system)

/** A client that syncs, whose connection can be cut and is then kept away until it may come back, to the other gateway. */
async function syncing(person: Person, options: Partial<ConnectOptions> = {}) {
  const sockets: WebSocket[] = []
  let attempt = 0
  let away = false
  class Cuttable extends WebSocket {
    constructor(url: string) {
      super(url)
      sockets.push(this)
    }
  }
  const client = await person.client({
    url: () => (away ? 'http://127.0.0.1:9' : (system.urls[attempt++ % system.urls.length] as string)),
    sync: true,
    reconnectDelay: () => 20,
    WebSocket: Cuttable as unknown as WebSocketClass,
    ...options,
  })
  return {
    client,
    told: listen(client),
    async cut() {
      away = true
      const lost = new Promise((resolve) => client.on('close', resolve))
      sockets.at(-1)?.terminate()
      await lost
    },
    async comeBack() {
      away = false
      await client.ready
    },
  }
}

/** Everything the application is told, in order. */
function listen(client: ChatClient): string[] {
  const told: string[] = []
  client.on('message', ({ contentStr, seq, recalled }) => told.push(recalled ? `recalled ${seq}` : contentStr))
  client.on('messageChanged', ({ change }) => told.push(`${change?.kind} of ${change?.seq}`))
  client.on('reset', ({ sessionId, reason }) => told.push(`reset ${sessionId} ${reason}`))
  client.on('conversation', ({ sessionId, peerUserId, lastSeq }) =>
    told.push(`conversation ${sessionId}${peerUserId || ''} ${lastSeq}`),
  )
  return told
}

t.test('what came while it was away is given once it is back, in order and before what is live', async (t) => {
  const [one, two, three] = [await newPerson(), await newPerson(), await newPerson()]
  const memberIds = [one.number, two.number]
  const { groupId } = (await one.post('/chat/group!createGroup', { groupName: 'g', memberIds })).data
  const sender = await one.socket({ sync: true })
  await sender.message({ sessionId: groupId, contentStr: 'before it came' })
  const { client, told, cut, comeBack } = await syncing(two)
  await sender.message({ toUserId: two.number, contentStr: 'p1' })
  await eventually(() => told.length === 1, 'the first')
  await eventually(() => client.positions.length === 2, 'it knows where both conversations stand')
  await cut()
  for (const contentStr of ['p2', 'p3']) await sender.message({ toUserId: two.number, contentStr })
  sender.send('recallMessage', { sessionId: '', peerUserId: two.number, seq: 2, taskId: 'r' })
  await sender.next('recallMessage')
  await sender.message({ sessionId: groupId, contentStr: 'g2' })
  await (await three.socket({ sync: true })).message({ toUserId: two.number, contentStr: 'a stranger' })
  await comeBack()
  await sender.message({ toUserId: two.number, contentStr: 'p5' })
  await sender.message({ sessionId: groupId, contentStr: 'g3' })
  await eventually(() => told.includes('p5') && told.includes('g3'), 'the last')
  await eventually(() => told.some((one) => one.startsWith('conversation')), 'the new conversation')
  t.same(
    told.filter((one) => one.startsWith('p') || one.startsWith('recall')),
    ['p1', 'recalled 2', 'p3', 'recall of 2', 'p5'],
  )
  t.same(
    told.filter((one) => one.startsWith('g')),
    ['g2', 'g3'],
  )
  t.same(
    told.filter((one) => one.startsWith('conversation')),
    [`conversation ${three.number} 1`],
  )
  t.same(
    client.positions.toSorted((a, b) => a.peerUserId - b.peerUserId || a.seq - b.seq),
    [
      { sessionId: groupId, peerUserId: 0, seq: 3 },
      { sessionId: '', peerUserId: one.number, seq: 5 },
      { sessionId: '', peerUserId: three.number, seq: 1 },
    ].toSorted((a, b) => a.peerUserId - b.peerUserId || a.seq - b.seq),
  )
})

t.test(
  'it says by itself what it has received, and on its next connection what it read while it was away',
  async (t) => {
    const [one, two] = [await newPerson(), await newPerson()]
    const sender = await one.socket({ gateway: 1, sync: true })
    const { client, told, cut, comeBack } = await syncing(two)
    for (const contentStr of ['a', 'b']) await sender.message({ toUserId: two.number, contentStr })
    t.match(await sender.next('messageState', ({ deliveredSeq }) => deliveredSeq === 2), { readSeq: 0 })
    await cut()
    client.markRead({ to: one.number, seq: 1 })
    await sender.message({ toUserId: two.number, contentStr: 'c' })
    await comeBack()
    t.match(await sender.next('messageState', ({ readSeq }) => readSeq === 1), { peerUserId: two.number })
    await sender.next('messageState', ({ deliveredSeq, readSeq }) => deliveredSeq === 3 && readSeq === 1)
    t.same(told, ['a', 'b', 'c'])
    const list = await client.conversations()
    t.match(list.conversations, [{ peerUserId: one.number, lastSeq: 3, deliveredSeq: 3, readSeq: 1, unread: 2 }])
  },
)

t.test('a group it was taken out of meanwhile is told as reset, and nothing of it is given', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const memberIds = [one.number, two.number]
  const { groupId } = (await one.post('/chat/group!createGroup', { groupName: 'g', memberIds })).data
  const sender = await one.socket({ sync: true })
  const { told, cut, comeBack } = await syncing(two)
  await sender.message({ sessionId: groupId, contentStr: 'for both' })
  await eventually(() => told.length === 1, 'the first')
  await cut()
  await one.post('/chat/group!kickGroupMembers', { groupId, memberIds: [two.number] })
  await sender.message({ sessionId: groupId, contentStr: 'for one' })
  await comeBack()
  await eventually(() => told.length === 2, 'what became of it')
  t.same(told, ['for both', `reset ${groupId} notAMember`])
})

t.test('an application goes on in another process from the positions it kept', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const sender = await one.socket({ sync: true })
  const first = await syncing(two)
  await sender.message({ toUserId: two.number, contentStr: 'a' })
  await eventually(() => first.told.length === 1, 'the first')
  const positions = first.client.positions
  first.client.close()
  for (let i = 0; i < 5; i++) await sender.message({ toUserId: two.number, contentStr: `b${i}` })
  const second = await syncing(two, { positions })
  await eventually(() => second.told.length === 5, 'the others')
  t.same(second.told, ['b0', 'b1', 'b2', 'b3', 'b4'])
})
