import t from 'tap'
import { type Person, people } from '../people.ts'
import type { RawSocket } from '../raw-socket.ts'
import { testSystem } from '../system.ts'

const system = await testSystem(t)
const newPerson = people(t, system)

async function newGroup(owner: Person, others: Person[]): Promise<string> {
  const memberIds = [owner, ...others].map(({ number }) => number)
  return (await owner.post('/chat/group!createGroup', { groupName: 'g', memberIds })).data.groupId
}

/** That push about that group: what else is in it. */
async function push(socket: RawSocket, tag: 'groupListChanged' | 'groupChanged', groupId: string, reason: string) {
  return socket.next(tag, (data) => data.groupId === groupId && data.reason === reason)
}

t.test('the list of a group is news to all its first members, on every device', async (t) => {
  const [owner, one] = [await newPerson(), await newPerson()]
  const sockets = [await owner.socket(), await one.socket(), await one.socket({ gateway: 1 })]
  const groupId = await newGroup(owner, [one])
  for (const socket of sockets)
    t.same(await push(socket, 'groupListChanged', groupId, 'created'), { groupId, reason: 'created' })
})

t.test('joining, adding, leaving and kicking are told to whom they concern and to the group', async (t) => {
  const [owner, member, joiner, added] = [await newPerson(), await newPerson(), await newPerson(), await newPerson()]
  const groupId = await newGroup(owner, [member])
  const [atOwner, atMember] = [await owner.socket(), await member.socket({ gateway: 1 })]
  const [atJoiner, atAdded] = [await joiner.socket(), await added.socket({ gateway: 1 })]

  await joiner.post('/chat/group!joinGroup', { groupId })
  t.same(await push(atJoiner, 'groupListChanged', groupId, 'joined'), { groupId, reason: 'joined' })
  const joined = { groupId, reason: 'joined', byUserId: joiner.number, userIds: [joiner.number] }
  t.same(await push(atMember, 'groupChanged', groupId, 'joined'), joined)
  t.same(await push(atOwner, 'groupChanged', groupId, 'joined'), joined)

  await member.post('/chat/group!addGroupMembers', { groupId, memberIds: [added.number] })
  t.same(await push(atAdded, 'groupListChanged', groupId, 'added'), { groupId, reason: 'added' })
  t.same(await push(atOwner, 'groupChanged', groupId, 'added'), {
    groupId,
    reason: 'added',
    byUserId: member.number,
    userIds: [added.number],
  })

  await joiner.post('/chat/group!exitGroup', { groupId })
  t.same(await push(atJoiner, 'groupListChanged', groupId, 'left'), { groupId, reason: 'left' })
  t.match(await push(atMember, 'groupChanged', groupId, 'left'), { userIds: [joiner.number] })

  await owner.post('/chat/group!deleteUser', { groupId, groupUserId: added.id })
  t.same(await push(atAdded, 'groupListChanged', groupId, 'kicked'), { groupId, reason: 'kicked' })
  t.match(await push(atMember, 'groupChanged', groupId, 'kicked'), { byUserId: owner.number, userIds: [added.number] })
})

t.test('changes of the group are told to the members that are there, and to nobody else', async (t) => {
  const [owner, member, outsider] = [await newPerson(), await newPerson(), await newPerson()]
  const groupId = await newGroup(owner, [member])
  const [atMember, atOutsider] = [await member.socket(), await outsider.socket()]
  await owner.post('/chat/group!updateGroup', { groupId, notice: 'news' })
  t.same(await push(atMember, 'groupChanged', groupId, 'updated'), {
    groupId,
    reason: 'updated',
    byUserId: owner.number,
  })
  await owner.post('/chat/group!setAdmin', { groupId, memberId: member.id, admin: true })
  t.match(await push(atMember, 'groupChanged', groupId, 'adminChanged'), { userIds: [member.number] })
  await owner.post('/chat/group!updateGroupInfo', { groupId, creator: member.number })
  t.match(await push(atMember, 'groupChanged', groupId, 'transferred'), { byUserId: owner.number })
  await push(atMember, 'groupListChanged', groupId, 'transferred')
  await member.post('/chat/group!deleteGroup', { groupId })
  t.same(await push(atMember, 'groupListChanged', groupId, 'deleted'), { groupId, reason: 'deleted' })
  await push(atMember, 'groupChanged', groupId, 'deleted')

  await member.post('/chat/chat!sendMessage', { toUserId: outsider.id, msgId: 'm', msgContentType: 1, contentStr: 'x' })
  await atOutsider.next('message')
  t.same(
    atOutsider.frames.map(({ tag }) => tag),
    ['bound', 'message'],
  )
})

t.test('a change of membership is in force when it is answered', async (t) => {
  const [owner, member] = [await newPerson(), await newPerson()]
  const groupId = await newGroup(owner, [member])
  const [atOwner, atMember] = [await owner.socket(), await member.socket({ gateway: 1 })]
  const send = (socket: RawSocket, contentStr: string) => socket.message({ sessionId: groupId, contentStr })
  for (let round = 1; round <= 5; round++) {
    t.match(await send(atMember, `in ${round}`), { seq: Number })
    t.match(await atOwner.ask('kickGroupMembers', { groupId, memberIds: [member.id] }), { code: 0 })
    t.match(await send(atMember, `out ${round}`), { code: 2002, info: '您不是该群成员' })
    t.match((await member.post('/chat/chat!loadChatRecords', { groupId })).data, { code: 'NOT_A_MEMBER' })
    await send(atOwner, `secret ${round}`)
    t.match(await atOwner.ask('addGroupMembers', { groupId, memberIds: [member.id] }), { code: 0 })
    await send(atOwner, `back ${round}`)
    await atMember.next('message', ({ contentStr }) => contentStr === `back ${round}`)
  }
  t.same(atMember.texts, ['back 1', 'back 2', 'back 3', 'back 4', 'back 5'], 'nothing that was said in between')
})
