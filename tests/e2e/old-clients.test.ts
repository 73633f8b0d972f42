import { randomUUID } from 'node:crypto'
import t from 'tap'
import { people } from '../people.ts'
import { RawSocket } from '../raw-socket.ts'
import { testSystem } from '../system.ts'

const system = await testSystem(t)
const newPerson = people(t, system)
const [url = ''] = system.urls

/** What clients write where they have nothing to say. */
const nothings = ['', null, undefined]

t.test('a field of a group that is left empty is as good as absent', async (t) => {
  const owner = await newPerson()
  const names = ['projectName', 'type', 'introduction', 'notice', 'groupHeadImage', 'join', 'addBy']
  for (const nothing of nothings) {
    const empty = Object.fromEntries(names.map((name) => [name, nothing]))
    const created = await owner.post('/chat/group!createGroup', { ...empty, groupName: 'g', memberIds: [] })
    const { groupId } = created.data
    const before = { groupId, projectName: '', groupName: 'g', type: '1', introduction: '', notice: 'n' }
    t.match(await owner.post('/chat/group!updateGroup', { groupId, notice: 'n' }), { data: { success: true } })
    for (const call of ['updateGroup', 'updateGroupInfo']) {
      const { data } = await owner.post(`/chat/group!${call}`, {
        ...empty,
        groupId,
        groupName: nothing,
        creator: nothing,
      })
      t.match(data, { success: true, info: '修改群资料成功' }, `${call} with ${JSON.stringify(nothing)}`)
    }
    t.match((await owner.post('/chat/group!getGroupDetail', { groupId })).data.groupInfo, before)
  }
})

t.test('lists of members may name one twice, oneself, and nobody known; ids are numbers or digits', async (t) => {
  const [owner, member] = [await newPerson(), await newPerson()]
  const { groupId } = (
    await owner.post('/chat/group!createGroup', {
      groupName: 'g',
      memberIds: [owner.number, owner.id, member.id, member.number],
    })
  ).data
  const members = async () => (await owner.post('/chat/group!queryGroupInfo', { groupId })).data.memberIds
  t.same(await members(), [member.number])
  const change = (call: string, memberIds: unknown[]) => owner.post(`/chat/group!${call}`, { groupId, memberIds })
  t.match(await change('addGroupMembers', [7, '7', owner.id, member.id]), { data: { success: true } })
  t.same(await members(), [7, member.number])
  t.match(await change('kickGroupMembers', ['7', 7, owner.number, 987_654_321]), { data: { success: true } })
  t.same(await members(), [member.number])
  for (const wrong of [0, -1, 1.5, '', '07', ' 7', 'seven', null, [], {}, 2 ** 53]) {
    const { status, data } = await change('addGroupMembers', [member.number, wrong])
    t.equal(status, 400)
    t.match(data, { code: 'BAD_REQUEST', details: { field: 'memberIds.1' } }, JSON.stringify(wrong))
  }
  const tooMany = Array.from({ length: 501 }, (_, i) => i + 1)
  t.match(await change('addGroupMembers', tooMany), { status: 400, data: { details: { field: 'memberIds' } } })
})

t.test('texts are as long as they may be, counted in characters', async (t) => {
  const owner = await newPerson()
  const create = (fields: object) => owner.post('/chat/group!createGroup', { groupName: 'g', memberIds: [], ...fields })
  const lengths = { groupName: 64, projectName: 64, introduction: 500, notice: 1_000, groupHeadImage: 512 }
  for (const [field, most] of Object.entries(lengths)) {
    for (const character of ['a', '群', '😀']) {
      const longest = await create({ [field]: character.repeat(most) })
      t.match(longest.data, { success: true }, `${most} ${character} as ${field}`)
      const { status, data } = await create({ [field]: character.repeat(most + 1) })
      t.equal(status, 400)
      t.match(data, { code: 'BAD_REQUEST', details: { field } })
    }
  }
})

t.test('who writes to a group may leave the receiver empty or wrong', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const { groupId } = (await one.post('/chat/group!createGroup', { groupName: 'g', memberIds: [two.number] })).data
  const [socket, other] = [await one.socket(), await two.socket({ gateway: 1 })]
  for (const toUserId of [...nothings, 0, 'nobody', one.number, { $ne: 1 }]) {
    const ack = await socket.message({ sessionId: groupId, toUserId, sendDate: '' })
    t.match(ack, { sessionId: groupId, peerUserId: 0, state: 1 }, JSON.stringify(toUserId))
    const sent = { sessionId: groupId, toUserId, msgId: randomUUID(), msgContentType: '1', contentStr: 'x' }
    t.match(await one.post('/chat/chat!sendMessage', sent), { status: 200, data: { success: true } })
  }
  t.match(await other.next('message'), { sessionId: groupId, toUserId: 0 })
  for (const sessionId of nothings)
    t.match(await socket.message({ sessionId, toUserId: two.id }), { sessionId: '', peerUserId: two.number })
  for (const toUserId of [...nothings, 'nobody', -1, 1.5, {}])
    t.match(await socket.message({ toUserId }), { code: 1001 }, `in person to ${JSON.stringify(toUserId)}`)
})

t.test('the clock and the type of a message may be numbers or digits', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const [socket, other] = [await one.socket(), await two.socket()]
  for (const sendDate of [1_403_099_033_211, '1403099033211', 1_403_099_033_211.75]) {
    t.match(await socket.message({ toUserId: two.number, sendDate, msgContentType: 1 }), { state: 1 })
    t.match(await other.next('message'), { sendDate: 1_403_099_033_211, msgContentType: 1 })
  }
  for (const msgContentType of [0, 5, '5', '12345', -1, '-1'])
    t.match(await socket.message({ toUserId: two.number, msgContentType }), { code: 3004 }, String(msgContentType))
})

t.test('a binding may leave its extensions empty, and comes with its token in any of three ways', async (t) => {
  const person = await newPerson()
  const bearer = { authorization: `Bearer ${person.token}` }
  for (const [options, data] of [
    [{ token: person.token }, { userId: person.number }],
    [{ token: person.token }, { userId: person.id, accessToken: '', sync: null }],
    [{ headers: bearer }, { userId: person.number, accessToken: null, sync: '' }],
    [{}, { userId: person.number, accessToken: person.token, sync: false }],
  ] as const) {
    const socket = await RawSocket.open(url, options)
    socket.send('getUserId', data)
    t.match(await socket.next('bound'), { userId: person.number })
    await socket.close()
  }
})

t.test('the same message from two devices at once is one message, shown once', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const [a, b, idle] = [await one.socket(), await one.socket({ gateway: 1 }), await one.socket()]
  const receiver = await two.socket({ gateway: 1 })
  const msgIds = Array.from({ length: 10 }, () => randomUUID())
  const both = (msgId: string) => [a, b].map((device) => device.message({ toUserId: two.number, msgId }))
  const acks = await Promise.all(msgIds.map((msgId) => Promise.all(both(msgId))))
  for (const [first, second] of acks) {
    t.equal(first.seq, second.seq)
    t.equal(first.serverReceiveDate, second.serverReceiveDate)
    t.ok(first.duplicate || second.duplicate, 'one of them is the repeat')
  }
  await receiver.next('message', ({ seq }) => seq === 10)
  await idle.next('message', ({ seq }) => seq === 10)
  const seqs = (socket: RawSocket) => socket.frames.flatMap(({ tag, data }) => (tag === 'message' ? [data.seq] : []))
  t.same(seqs(receiver), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  t.same(seqs(idle), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})
