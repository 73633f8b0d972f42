import t from 'tap'
import { people } from '../people.ts'
import type { Data, RawSocket } from '../raw-socket.ts'
import { testSystem } from '../system.ts'

const system = await testSystem(t, { messageServices: 2 })
const newPerson = people(t, system)

const statesOf = ({ frames }: RawSocket) => frames.flatMap(({ tag, data }) => (tag === 'messageState' ? [data] : []))
const upTo = (readSeq: number) => (state: Data) => state.readSeq === readSeq
const answered = async (socket: RawSocket) => void (await socket.ask('queryGroupList'))

t.test(
  'what was received and read is told to the peer, and to the reader’s other devices, over two gateways',
  async (t) => {
    const [one, two] = [await newPerson(), await newPerson()]
    const sender = await one.socket({ sync: true })
    const [reading, beside, elsewhere] = [
      await two.socket({ gateway: 1, sync: true }),
      await two.socket({ gateway: 1, sync: true }),
      await two.socket({ gateway: 0, sync: true }),
    ]
    for (const contentStr of ['a', 'b', 'c']) await sender.message({ toUserId: two.number, contentStr })
    await reading.next('message', ({ seq }) => seq === 3)

    reading.send('messageReceived', { sessionId: '', peerUserId: one.number, seq: 3 })
    t.same(await sender.next('messageState'), { sessionId: '', peerUserId: two.number, deliveredSeq: 3, readSeq: 0 })
    reading.send('messageRead', { sessionId: '', peerUserId: one.number, seq: 2 })
    const expected = { sessionId: '', peerUserId: two.number, deliveredSeq: 3, readSeq: 2 }
    t.same(await sender.next('messageState', upTo(2)), expected)
    const own = { sessionId: '', peerUserId: one.number, deliveredSeq: 3, readSeq: 2, own: true }
    for (const device of [beside, elsewhere]) t.same(await device.next('messageState', upTo(2)), own)

    // Further than there is, and back: a cursor is clamped, and stays.
    reading.send('messageRead', { sessionId: '', peerUserId: one.number, seq: 99 })
    t.match(await sender.next('messageState', upTo(3)), { deliveredSeq: 3 })
    elsewhere.send('messageRead', { sessionId: '', peerUserId: one.number, seq: 1 })
    await sender.message({ toUserId: two.number, contentStr: 'd' })
    await elsewhere.next('message', ({ seq }) => seq === 4)
    elsewhere.send('messageRead', { sessionId: '', peerUserId: one.number, seq: 4 })
    t.match(await sender.next('messageState', upTo(4)), { deliveredSeq: 4 })
    t.match(await reading.next('messageState', upTo(4)), { own: true })

    await Promise.all([reading, elsewhere].map(answered))
    t.same(
      statesOf(sender).map(({ readSeq }) => readSeq),
      [0, 2, 3, 4],
      'nothing twice, and nothing moves back',
    )
    t.notOk(
      statesOf(reading).some(({ readSeq }) => readSeq < 4),
      'who read is not told',
    )
    for (const { frames } of [reading, beside, elsewhere, sender])
      t.notOk(frames.some(({ tag }) => tag === 'messageRead' || tag === 'messageReceived' || tag === 'error'))
  },
)

t.test('what was read over HTTP is told to all sockets of the reader, and shown as state 3 in history', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const [sender, device] = [await one.socket({ sync: true }), await two.socket({ gateway: 1, sync: true })]
  await sender.message({ toUserId: two.number, contentStr: 'a' })
  await device.next('message')
  const answer = await two.post('/chat/chat!messageRead', { peerUserId: one.id, seq: 1 })
  t.match(answer, { status: 200, data: { success: true } })
  t.match(await device.next('messageState', upTo(1)), { own: true, peerUserId: one.number })
  t.match(await sender.next('messageState', upTo(1)), { peerUserId: two.number, deliveredSeq: 1 })
  const { data } = await one.post('/chat/chat!loadChatRecords', { chatUserId: two.id })
  t.match(data.recordList, [{ seq: 1, state: 3 }])
})

t.test('in a group the author is told the counts of the newest message, nobody else is', async (t) => {
  const [author, reader, other] = [await newPerson(), await newPerson(), await newPerson()]
  const memberIds = [author, reader, other].map(({ number }) => number)
  const { groupId } = (await author.post('/chat/group!createGroup', { groupName: 'g', memberIds })).data
  const [a, r, o] = [
    await author.socket({ sync: true }),
    await reader.socket({ gateway: 1, sync: true }),
    await other.socket({ sync: true }),
  ]
  await a.message({ sessionId: groupId, contentStr: 'first' })
  const { seq } = await a.message({ sessionId: groupId, contentStr: 'second' })
  await r.next('message', ({ seq: come }) => come === seq)
  r.send('messageRead', { sessionId: groupId, peerUserId: 0, seq })
  o.send('messageReceived', { sessionId: groupId, peerUserId: 0, seq })
  const done = ({ deliveredCount, readCount }: Data) => deliveredCount === 2 && readCount === 1
  t.same(await a.next('messageState', done), { sessionId: groupId, seq, deliveredCount: 2, readCount: 1, total: 2 })
  await Promise.all([r, o].map(answered))
  t.same([...statesOf(r), ...statesOf(o)], [])
})

t.test('who types is told to the others, once in two seconds, and to nobody outside', async (t) => {
  const [one, two, three] = [await newPerson(), await newPerson(), await newPerson()]
  const memberIds = [one.number, two.number]
  const { groupId } = (await one.post('/chat/group!createGroup', { groupName: 'g', memberIds })).data
  const typist = await one.socket({ sync: true })
  const [peer, outsider] = [await two.socket({ gateway: 1, sync: true }), await three.socket({ sync: true })]
  typist.send('message', {
    toUserId: two.number,
    msgId: 'm1',
    msgContentType: '1',
    contentStr: 'they have a conversation',
    sessionId: '',
  })
  await peer.next('message')
  for (let i = 0; i < 5; i++) typist.send('typing', { sessionId: '', peerUserId: two.number })
  t.same(await peer.next('typing'), { sessionId: '', peerUserId: one.number, userId: one.number })
  outsider.send('typing', { sessionId: groupId, peerUserId: 0 })
  typist.send('typing', { sessionId: groupId, peerUserId: 0 })
  t.same(await peer.next('typing'), { sessionId: groupId, peerUserId: 0, userId: one.number })
  await Promise.all([typist, peer, outsider].map(answered))
  t.equal(peer.frames.filter(({ tag }) => tag === 'typing').length, 2)
  for (const { frames } of [typist, outsider]) t.notOk(frames.some(({ tag }) => tag === 'typing' || tag === 'error'))
})
