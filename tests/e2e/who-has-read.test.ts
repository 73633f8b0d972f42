import t from 'tap'
import { people } from '../people.ts'
import type { Data } from '../raw-socket.ts'
import { testSystem } from '../system.ts'

const system = await testSystem(t, { messageServices: 2 })
const newPerson = people(t, system)

t.test('who has read a message of a group is told on both edges, over joining, leaving and coming again', async (t) => {
  const [author, reader, later] = [await newPerson(), await newPerson(), await newPerson()]
  const memberIds = [author.number, reader.number]
  const { groupId } = (await author.post('/chat/group!createGroup', { groupName: 'g', memberIds })).data
  const [a, r, l] = [
    await author.socket({ sync: true }),
    await reader.socket({ gateway: 1, sync: true }),
    await later.socket(),
  ]
  const ask = async (seq: number) => {
    const { result } = await r.ask('queryReceipts', { sessionId: groupId, seq })
    const { data } = await author.post('/chat/chat!queryReceipts', { sessionId: groupId, seq })
    const { success: _, info, ...overHttp } = data
    t.same(overHttp, result, 'the same on both edges')
    t.equal(info, '获取消息回执成功')
    return result as Data
  }
  const of = (userId: number, state: number) => ({ userId, state })

  await a.message({ sessionId: groupId, contentStr: '1' })
  t.same(await ask(1), { deliveredCount: 0, readCount: 0, total: 1, members: [of(reader.number, 1)] })
  await reader.post('/chat/chat!messageReceived', { sessionId: groupId, seq: 1 })
  t.same(await ask(1), { deliveredCount: 1, readCount: 0, total: 1, members: [of(reader.number, 2)] })

  await later.post('/chat/group!joinGroup', { groupId })
  t.match(await ask(1), { total: 1 }, 'who joined later was not there')
  await a.message({ sessionId: groupId, contentStr: '2' })
  await later.post('/chat/chat!messageRead', { sessionId: groupId, seq: 2 })
  t.match(await ask(2), { deliveredCount: 1, readCount: 1, total: 2 })

  await later.post('/chat/group!exitGroup', { groupId })
  t.match(await ask(2), { deliveredCount: 0, readCount: 0, total: 1 })
  t.match(await l.ask('queryReceipts', { sessionId: groupId, seq: 2 }), { code: 2002 })
  await later.post('/chat/group!joinGroup', { groupId })
  t.match(await ask(2), { total: 1, members: [of(reader.number, 1)] }, 'who came again was not there then')
  t.match(await r.ask('queryReceipts', { sessionId: groupId, seq: 3 }), { code: 3005 })
})

t.test('of a message to one person that person is told of', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const [sender, receiver] = [await one.socket({ sync: true }), await two.socket({ gateway: 1, sync: true })]
  await sender.message({ toUserId: two.number, contentStr: 'a' })
  await receiver.next('message')
  receiver.send('messageRead', { sessionId: '', peerUserId: one.number, seq: 1 })
  await sender.next('messageState')
  const { result } = await sender.ask('queryReceipts', { sessionId: '', peerUserId: two.number, seq: 1 })
  t.same(result, { deliveredCount: 1, readCount: 1, total: 1, members: [{ userId: two.number, state: 3 }] })
})

t.test(
  'in a group of more than 500 nobody is pushed a state but the reader’s other devices; who asks is told page by page',
  async (t) => {
    const [author, reader] = [await newPerson(), await newPerson()]
    const others = Array.from({ length: 520 }, (_, index) => 900_000_000 + index)
    const memberIds = [author.number, reader.number, ...others.slice(0, 400)]
    const { groupId } = (await author.post('/chat/group!createGroup', { groupName: 'g', memberIds })).data
    const added = await author.post('/chat/group!addGroupMembers', { groupId, memberIds: others.slice(400) })
    t.match(added.data, { success: true })
    const [a, r, beside] = [
      await author.socket({ sync: true }),
      await reader.socket({ gateway: 1, sync: true }),
      await reader.socket({ sync: true }),
    ]
    await a.message({ sessionId: groupId, contentStr: 'to all' })
    await r.next('message')
    r.send('messageRead', { sessionId: groupId, peerUserId: 0, seq: 1 })
    const own = { sessionId: groupId, peerUserId: 0, deliveredSeq: 1, readSeq: 1, own: true }
    t.same(await beside.next('messageState'), own)
    const seen: number[] = []
    for (let after: number | undefined = 0; after !== undefined; ) {
      const { result } = (await a.ask('queryReceipts', { sessionId: groupId, seq: 1, after })) as Data
      t.match(result, { deliveredCount: 1, readCount: 1, total: 521 })
      seen.push(...result.members.map(({ userId }: Data) => userId))
      after = result.next
    }
    t.same(
      seen,
      [reader.number, ...others].sort((one, other) => one - other),
    )
    t.notOk([...a.frames, ...r.frames].some(({ tag }) => tag === 'messageState'))
  },
)
