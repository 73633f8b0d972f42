import { connect } from '@nats-io/transport-node'
import t from 'tap'
import { people } from '../people.ts'
import type { Data } from '../raw-socket.ts'
import { testSystem } from '../system.ts'

const system = await testSystem(t, { ownServers: true })
const newPerson = people(t, system)
const { username, password, host } = new URL(system.system.natsUrl)
const nats = await connect({ servers: host, user: username, pass: password, inboxPrefix: '_INBOX_integration' })
t.teardown(() => nats.close())

/** As another back-end service calls: no gateway between. */
async function ask(operation: string, input: unknown): Promise<Data> {
  const reply = await nats.request(`${system.subjectPrefix}.${operation}`, JSON.stringify(input), { timeout: 5_000 })
  return reply.json()
}

t.test('profiles the user system pushes in are what members see, field by field', async (t) => {
  const [owner, member] = [await newPerson(), await newPerson()]
  const profile = {
    sex: '1',
    age: '28',
    phoneNumber: '1362222222',
    country: '001',
    province: '44',
    city: '4103',
    district: '440304',
    street: '福华一路10001号',
    company: '汇梦互联网有限公司',
    occupation: '互联网/电子商务',
    role: '高级软件工程师',
    degrees: '本科',
    school: '深圳大学',
    nickName: '彪彪小王子',
    userPhoto: 'upload/images/userPhoto/10176_avatar.jpg',
    signature: '这里是个性签名',
  }
  t.same(await ask('user.put', { users: [{ userId: member.number, ...profile }] }), { ok: true, result: {} })
  const group = { groupName: '项目群', memberIds: [owner.number, member.number] }
  const { groupId } = (await owner.post('/chat/group!createGroup', group)).data
  await member.post('/chat/group!userSetGroup', { groupId, showName: '彪彪' })
  const { userList } = (await owner.post('/chat/group!getGroupDetail', { groupId })).data
  t.same(userList[1], { userId: member.number, ...profile, user_type: '3', show_name: '彪彪' })
  t.match((await owner.post('/chat/group!deleteUser', { groupId, groupUserId: member.id })).data, {
    info: '已成功踢出成员彪彪',
  })
  t.match(await ask('user.put', { users: Array.from({ length: 501 }, (_, i) => ({ userId: i + 1 })) }), {
    ok: false,
    error: { code: 'BAD_REQUEST', info: String },
  })
})

t.test('services learn who is in which group, and hear of changes afterwards', async (t) => {
  const [owner, member] = [await newPerson(), await newPerson()]
  const facts: { what: string; data: Data }[] = []
  const heard = Promise.withResolvers<void>()
  nats.subscribe(`${system.subjectPrefix}.event.group.*`, {
    callback: (_, message) => {
      facts.push({ what: message.subject.split('.').at(-1) as string, data: message.json() })
      if (message.subject.endsWith('deleted')) heard.resolve()
    },
  })
  await nats.flush()
  const group = { groupName: 'g', memberIds: [owner.number, member.number] }
  const { groupId } = (await owner.post('/chat/group!createGroup', group)).data
  const { result } = await ask('group.membersOf', { groupId })
  t.same(
    result.members.toSorted((a: Data, b: Data) => (a.role < b.role ? 1 : -1)),
    [
      { userId: owner.id, role: 'owner' },
      { userId: member.id, role: 'member' },
    ],
  )
  t.same(await ask('group.groupsOfUser', { userId: member.id }), {
    ok: true,
    result: { userId: member.number, groupIds: [groupId] },
  })
  await member.post('/chat/group!exitGroup', { groupId })
  await owner.post('/chat/group!deleteGroup', { groupId })
  await heard.promise
  const ours = facts.filter(({ data }) => data.groupId === groupId)
  t.match(
    ours.filter(({ what }) => what !== 'updated').map(({ what }) => what),
    ['created', 'memberRemoved', 'deleted'],
  )
  t.match(ours.at(-1)?.data, { at: Number, groupId, byUserId: owner.id })
})

t.test('a revoked user is signed out on every gateway', async (t) => {
  const person = await newPerson()
  const sockets = [await person.socket(), await person.socket({ gateway: 1 })]
  t.match(await ask('user.revoke', { userId: person.id }), { ok: true, result: { notBefore: Number } })
  for (const socket of sockets) t.equal((await socket.closed).code, 4003)
})

t.test('another service may not play a gateway or a partition owner', async (t) => {
  const refused = Promise.withResolvers<string>()
  void (async () => {
    for await (const status of nats.status()) if (status.type === 'error') refused.resolve(status.error.message)
  })()
  nats.publish(`${system.subjectPrefix}.gateway.x.deliver`, 'nonsense')
  t.match(await refused.promise, /permission/i)
})
