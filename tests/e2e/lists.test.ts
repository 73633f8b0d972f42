import t from 'tap'
import { eventually } from '../eventually.ts'
import { type Person, people } from '../people.ts'
import type { Data, RawSocket } from '../raw-socket.ts'
import { testSystem } from '../system.ts'

const system = await testSystem(t, { messageServices: 2 })
const newPerson = people(t, system)

/** What a person's list says, on one edge and gateway. */
type View = () => Promise<Data[]>

/** Both edges of both gateways, the socket by a connection of its own. */
async function viewsOf(person: Person): Promise<View[]> {
  const sockets = await Promise.all([0, 1].map((gateway) => person.socket({ gateway, sync: true })))
  return [0, 1].flatMap((gateway): View[] => [
    async () => (await person.post('/chat/chat!conversationList', {}, { gateway })).data.conversations,
    async () => (await (sockets[gateway] as RawSocket).ask('conversationList')).result.conversations,
  ])
}

const summary = (conversations: Data[]) =>
  conversations.map(({ sessionId, peerUserId, unread }) => [sessionId || peerUserId, unread])

const send = async (person: Person, to: { toUserId?: string; sessionId?: string }, contentStr = 'hello') => {
  const msgId = `m${Math.random().toString(36).slice(2)}`
  const { data } = await person.post('/chat/chat!sendMessage', { ...to, msgId, msgContentType: 1, contentStr })
  return data
}

t.test('unread is the same on every device, and one’s own messages are none', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  for (const text of ['a', 'b', 'c']) await send(two, { toUserId: one.id }, text)
  for (const view of await viewsOf(one)) t.same(summary(await view()), [[two.number, 3]])
  for (const view of await viewsOf(two)) {
    const conversations = await view()
    t.same(summary(conversations), [[one.number, 0]])
    t.match(conversations, [{ lastSeq: 3, lastMessage: { contentStr: 'c', seq: 3, state: 1 } }])
  }
  await send(one, { toUserId: two.id }, 'd')
  for (const view of await viewsOf(one)) {
    const [entry] = await view()
    t.equal(entry.unread, 3, 'what one sends behind unread messages leaves them unread')
    t.match(entry.lastMessage, { contentStr: 'd', fromUserId: one.number })
  }
})

t.test('what is read on one device is read on all, and its author sees it in every list', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const views = await viewsOf(one)
  const reader = await one.socket({ gateway: 1, sync: true })
  for (const text of ['a', 'b', 'c']) await send(two, { toUserId: one.id }, text)
  reader.send('messageRead', { sessionId: '', peerUserId: two.number, seq: 2 })
  for (const view of views)
    await eventually(async () => {
      const [entry] = await view()
      return entry.unread === 1 && entry.readSeq === 2
    }, 'the list shows what was read elsewhere')
  await one.post('/chat/chat!messageRead', { peerUserId: two.id, seq: 3 })
  for (const view of views) t.match(await view(), [{ unread: 0, readSeq: 3, deliveredSeq: 3 }])
  for (const view of await viewsOf(two)) t.match(await view(), [{ lastMessage: { contentStr: 'c', state: 3 } }])
})

t.test('a group is listed while one is in it; who comes back has nothing unread of the time between', async (t) => {
  const [owner, member] = [await newPerson(), await newPerson()]
  const views = await viewsOf(member)
  const made = await owner.post('/chat/group!createGroup', {
    groupName: '群',
    memberIds: [owner.number, member.number],
  })
  const { groupId } = made.data
  for (const view of views) t.same(await view(), [], 'a group without messages is no conversation')
  for (const text of ['a', 'b']) await send(owner, { sessionId: groupId }, text)
  for (const view of views) t.same(summary(await view()), [[groupId, 2]])
  await member.post('/chat/group!exitGroup', { groupId })
  for (const view of views) t.same(await view(), [])
  for (const text of ['c', 'd', 'e']) await send(owner, { sessionId: groupId }, text)
  await member.post('/chat/group!joinGroup', { groupId })
  for (const view of views) t.match(await view(), [{ sessionId: groupId, lastSeq: 5, unread: 0, readSeq: 5 }])
  await send(owner, { sessionId: groupId }, 'f')
  for (const view of views) t.match(await view(), [{ unread: 1, lastMessage: { contentStr: 'f' } }])
})

t.test('a group message is read when everybody else has read it', async (t) => {
  const [owner, ...members] = await Promise.all([newPerson(), newPerson(), newPerson()])
  const memberIds = [owner, ...members].map(({ number }) => number)
  const { groupId } = (await owner.post('/chat/group!createGroup', { groupName: '群', memberIds })).data
  await send(owner, { sessionId: groupId }, 'a')
  const stateFor = async () =>
    (await owner.post('/chat/chat!conversationList', {})).data.conversations[0].lastMessage.state
  t.equal(await stateFor(), 1)
  await members[0]!.post('/chat/chat!messageRead', { sessionId: groupId, seq: 1 })
  await members[1]!.post('/chat/chat!messageReceived', { sessionId: groupId, seq: 1 })
  await eventually(async () => (await stateFor()) === 2, 'it has reached everybody')
  await members[1]!.post('/chat/chat!messageRead', { sessionId: groupId, seq: 1 })
  await eventually(async () => (await stateFor()) === 3, 'everybody has read it')
  const { recordList } = (await owner.post('/chat/chat!loadChatRecords', { groupId })).data
  t.match(recordList, [{ state: 3 }])
  const { positions } = (await owner.post('/chat/chat!sync', { positions: [{ sessionId: groupId, seq: 0 }] })).data
  t.match(positions, [{ messages: [{ state: 3 }] }])
})

t.test('pages lead through more conversations than one holds, on both edges', async (t) => {
  const one = await newPerson()
  const socket = await one.socket({ gateway: 1, sync: true })
  const first = 10_000_000
  for (let peer = 0; peer < 70; peer++) await send(one, { toUserId: String(first + peer) })
  const byHttp: number[] = []
  const bySocket: number[] = []
  const sizes: number[] = []
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const { data } = await one.post('/chat/chat!conversationList', { after })
    byHttp.push(...data.conversations.map(({ peerUserId }: Data) => peerUserId))
    sizes.push(data.conversations.length)
    after = data.next
  }
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const { result } = await socket.ask('conversationList', { after })
    bySocket.push(...result.conversations.map(({ peerUserId }: Data) => peerUserId))
    after = result.next
  }
  t.same(sizes, [50, 20])
  t.same(bySocket, byHttp)
  t.same(
    byHttp,
    Array.from({ length: 70 }, (_, i) => first + 69 - i),
  )
  const refused = await one.post('/chat/chat!conversationList', { after: '{"$gt":0}' })
  t.match(refused, { status: 400, data: { success: false, code: 'BAD_REQUEST', details: { field: 'after' } } })
})

t.test('a device that was away gets by sync what it has not, on either edge', async (t) => {
  const [one, two, three] = await Promise.all([newPerson(), newPerson(), newPerson()])
  const memberIds = [one.number, two.number]
  const { groupId } = (await two.post('/chat/group!createGroup', { groupName: '群', memberIds })).data
  const { groupId: left } = (await two.post('/chat/group!createGroup', { groupName: '旧', memberIds })).data
  for (const text of ['p1', 'p2']) await send(two, { toUserId: one.id }, text)
  await send(one, { toUserId: two.id }, 'own')
  await send(two, { sessionId: groupId }, 'g1')
  await send(two, { sessionId: left }, 'l1')
  await one.post('/chat/group!exitGroup', { groupId: left })
  await send(three, { toUserId: one.id }, 'a stranger')
  const positions = [
    { sessionId: left, seq: 0 },
    { peerUserId: two.id, seq: 1 },
    { sessionId: groupId, seq: 1 },
    { peerUserId: two.number, seq: '9' },
  ]
  const socket = await one.socket({ gateway: 1, sync: true })
  const answers = [
    (await one.post('/chat/chat!sync', { positions })).data,
    (await socket.ask('sync', { positions })).result,
  ]
  for (const answer of answers) {
    t.match(answer.positions, [
      { sessionId: left, peerUserId: 0, status: 'reset', reason: 'notAMember' },
      { sessionId: '', peerUserId: two.number, status: 'messages', hasMore: false },
      { sessionId: groupId, peerUserId: 0, status: 'current' },
      { sessionId: '', peerUserId: two.number, status: 'reset', reason: 'ahead', lastSeq: 3 },
    ])
    t.same(
      answer.positions[1].messages.map(({ contentStr, seq }: Data) => [contentStr, seq]),
      [
        ['p2', 2],
        ['own', 3],
      ],
    )
    t.same(answer.new, [{ sessionId: '', peerUserId: three.number, lastSeq: 1 }])
  }
  const tooMany = Array.from({ length: 501 }, () => ({ peerUserId: two.id, seq: 0 }))
  t.match((await one.post('/chat/chat!sync', { positions: tooMany })).data, { code: 'BAD_REQUEST' })
})
