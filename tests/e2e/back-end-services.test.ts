import { randomUUID } from 'node:crypto'
import { connect, headers } from '@nats-io/transport-node'
import t from 'tap'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import type { Data } from '../raw-socket.ts'
import { testSystem } from '../system.ts'
import { makeToken } from '../tokens.ts'

const MEMBERS_MAX = 5
const system = await testSystem(t, { ownServers: true, serviceEnv: { GROUP_MEMBERS_MAX: `${MEMBERS_MAX}` } })
const newPerson = people(t, system)
const { username, password, host } = new URL(system.system.natsUrl)
const nats = await connect({ servers: host, user: username, pass: password, inboxPrefix: '_INBOX_integration' })
t.teardown(() => nats.close())

/** As another back-end service calls: no gateway between. `user` is who acts. */
async function ask(operation: string, input: unknown, user?: string): Promise<Data> {
  const as = headers()
  if (user !== undefined) as.set('Im-User', user)
  const subject = `${system.subjectPrefix}.${operation}`
  return (await nats.request(subject, JSON.stringify(input), { headers: as, timeout: 5_000 })).json()
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

t.test('other services act for users by the same rules, and must say for whom', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const created = await ask('group.createGroup', { groupName: 'g', memberIds: [two.number] }, one.id)
  t.match(created, { ok: true, result: { groupId: /^\d+$/ } })
  const { groupId } = created.result
  t.same((await ask('group.groupsOfUser', { userId: two.id })).result, { userId: two.number, groupIds: [groupId] })
  const roles = [
    { userId: one.id, role: 'owner' },
    { userId: two.id, role: 'member' },
  ]
  t.match((await ask('group.membersOf', { groupId })).result.members.sort(byUserId), roles.sort(byUserId))
  t.match(await ask('group.deleteGroup', { groupId }, two.id), { ok: false, error: { code: 'NOT_ALLOWED' } })

  const socket = await two.socket({ gateway: 1 })
  const message = {
    toUserId: two.id,
    sessionId: '',
    msgId: randomUUID(),
    msgContentType: '1',
    contentStr: 'from a shop',
  }
  const sent = await ask('message.send', message, one.id)
  t.match(sent, { ok: true, result: { seq: 1, peerUserId: two.number, state: 1 } })
  t.match(await socket.next('message'), { fromUserId: one.number, contentStr: 'from a shop', seq: 1 })
  t.match(await ask('message.send', message, one.id), { ok: true, result: { seq: 1, duplicate: true } })
  for (const operation of ['group.groupList', 'message.send', 'message.loadChatRecords'])
    for (const user of [undefined, '', '0', 'somebody'])
      t.match(await ask(operation, { ...message, chatUserId: two.id }, user), {
        ok: false,
        error: { code: 'BAD_REQUEST', details: { field: 'Im-User' } },
      })
})

t.test('every change of a group is one fact in the stream, under an id of its own', async (t) => {
  const facts: { what: string; id: string | undefined; fact: Data }[] = []
  const subscription = nats.subscribe(`${system.subjectPrefix}.event.group.*`, {
    callback: (_error, event) => {
      const what = event.subject.slice(event.subject.lastIndexOf('.') + 1)
      facts.push({ what, id: event.headers?.get('Nats-Msg-Id'), fact: event.json() })
    },
  })
  t.teardown(() => subscription.unsubscribe())
  await nats.flush()
  const [owner, one, two] = [await newPerson(), await newPerson(), await newPerson()]
  const { groupId } = (await owner.post('/chat/group!createGroup', { groupName: 'g', memberIds: [one.id] })).data
  const change = (who: typeof owner, call: string, data: object = {}) =>
    who.post(`/chat/group!${call}`, { groupId, ...data })
  await change(two, 'joinGroup')
  await change(two, 'joinGroup')
  await change(owner, 'setAdmin', { memberId: one.id, admin: true })
  await change(one, 'updateGroup', { notice: 'n' })
  await change(one, 'kickGroupMembers', { memberIds: [two.id, one.id] })
  await change(owner, 'updateGroupInfo', { creator: one.id, groupName: 'new' })
  await change(owner, 'exitGroup')
  await change(one, 'deleteGroup')
  const ofThis = () => facts.filter(({ fact }) => fact.groupId === groupId)
  await eventually(() => ofThis().some(({ what }) => what === 'deleted'), 'the last fact')
  t.match(
    ofThis().map(({ what, fact: { byUserId, userIds } }) => [what, byUserId, userIds?.sort()]),
    [
      ['created', owner.id, [owner.id, one.id].sort()],
      ['memberAdded', two.id, [two.id]],
      ['roleChanged', owner.id, [one.id]],
      ['updated', one.id, undefined],
      ['memberRemoved', one.id, [two.id]],
      ['roleChanged', owner.id, [owner.id, one.id].sort()],
      ['updated', owner.id, undefined],
      ['memberRemoved', owner.id, [owner.id]],
      ['deleted', one.id, undefined],
    ],
  )
  t.equal(new Set(ofThis().map(({ id }) => id)).size, 9)
  t.ok(ofThis().every(({ id, fact }) => id !== undefined && typeof fact.at === 'number'))
  const info = (await nats.request('$JS.API.STREAM.INFO.IM_EVENTS')).json<Data>()
  t.match(info.config, { subjects: [`${system.subjectPrefix}.event.>`], max_age: 72 * 3600 * 1e9, storage: 'file' })
})

t.test('a full group takes nobody, and of a list that does not fit nobody at all', async (t) => {
  const owner = await newPerson()
  const { groupId } = (await owner.post('/chat/group!createGroup', { groupName: 'g', memberIds: [1, 2, 3] })).data
  const add = (memberIds: number[]) => owner.post('/chat/group!addGroupMembers', { groupId, memberIds })
  const full = { status: 200, data: { success: false, code: 'GROUP_FULL', info: '群成员已满' } }
  t.match(await add([4, 5]), full)
  const { memberIds } = (await owner.post('/chat/group!queryGroupInfo', { groupId })).data
  t.same(memberIds, [1, 2, 3])
  t.match(await add([3, 4, 4]), { data: { success: true } })
  t.match(await (await newPerson()).post('/chat/group!joinGroup', { groupId }), full)
  t.match(await add([1, 2]), { data: { success: true } }, 'those who are in already need no room')
  const many = Array.from({ length: MEMBERS_MAX }, (_, i) => i + 1)
  t.match(await owner.post('/chat/group!createGroup', { groupName: 'g', memberIds: many }), full)
})

t.test('a revoked user loses every socket on every gateway at once, and may sign in again', async (t) => {
  const person = await newPerson()
  const sockets = await Promise.all([person.socket(), person.socket({ gateway: 1 }), person.socket({ sync: true })])
  const other = await (await newPerson()).socket()
  t.match(await ask('user.revoke', { userId: person.number }), { ok: true, result: { notBefore: Number } })
  for (const socket of sockets) t.equal((await socket.closed).code, 4003)
  t.match(await other.ask('queryGroupList'), { code: 0 })

  const older = await makeToken(system.authSecret, { sub: person.id, iat: Math.floor(Date.now() / 1000) - 60 })
  for (const gateway of [0, 1]) {
    const refused = await person.post('/chat/group!groupList', {}, { gateway, envelope: { accessToken: older } })
    t.match(refused, { status: 401, data: { code: 'UNAUTHENTICATED' } })
    await (await newPerson(person.id)).socket({ gateway })
  }
})

t.test('another service may not play a gateway or a partition owner', async (t) => {
  const refused = Promise.withResolvers<string>()
  void (async () => {
    for await (const status of nats.status()) if (status.type === 'error') refused.resolve(status.error.message)
  })()
  nats.publish(`${system.subjectPrefix}.gateway.x.deliver`, 'nonsense')
  t.match(await refused.promise, /permission/i)
})

function byUserId(one: { userId: string }, other: { userId: string }): number {
  return Number(one.userId) - Number(other.userId)
}
