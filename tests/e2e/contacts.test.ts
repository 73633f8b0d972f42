import { randomUUID } from 'node:crypto'
import { connect, headers } from '@nats-io/transport-node'
import { errors } from '@qunxin/contracts'
import t from 'tap'
import { eventually } from '../eventually.ts'
import { type Person, people } from '../people.ts'
import type { Data, RawSocket } from '../raw-socket.ts'
import { testSystem } from '../system.ts'

// With the users of deploy/nats: each service may do just what it needs.
const system = await testSystem(t, { ownServers: true, gateways: 2, messageServices: 2 })
const newPerson = people(t, system)
const { username, password, host } = new URL(system.system.natsUrl)
const nats = await connect({ servers: host, user: username, pass: password, inboxPrefix: '_INBOX_integration' })
t.teardown(() => nats.close())

async function ask(operation: string, input: unknown, user?: string): Promise<Data> {
  const as = headers()
  if (user !== undefined) as.set('Im-User', user)
  const subject = `${system.subjectPrefix}.${operation}`
  return (await nats.request(subject, JSON.stringify(input), { headers: as, timeout: 5_000 })).json()
}

const send = (from: Person, to: Person | string, fields: Record<string, unknown> = {}) =>
  from.post('/chat/chat!sendMessage', {
    ...(typeof to === 'string' ? { sessionId: to } : { toUserId: to.id }),
    msgId: randomUUID(),
    msgContentType: 1,
    contentStr: 'hello',
    ...fields,
  })
const newGroup = async (owner: Person, memberIds: number[]): Promise<string> =>
  (await owner.post('/chat/group!createGroup', { groupName: 'g', memberIds })).data.groupId
const tagsOf = ({ frames }: RawSocket) => frames.map(({ tag }) => tag)
const notAllowed = { code: 'NOT_ALLOWED', info: errors.NOT_ALLOWED.zh }

t.test('who types to another is told to all devices of the other, and to nobody else', async (t) => {
  const [one, other] = [await newPerson(), await newPerson()]
  const sockets = [await other.socket({ gateway: 0 }), await other.socket({ gateway: 1 })]
  const [writing, elsewhere] = [await one.socket({ gateway: 0 }), await one.socket({ gateway: 1 })]
  writing.send('typing', { peerUserId: other.number, sessionId: '' })
  const push = { sessionId: '', peerUserId: one.number, userId: one.number }
  for (const socket of sockets) t.same(await socket.next('typing'), push)

  const told = await one.post('/chat/chat!typing', { peerUserId: other.id }, { gateway: 1 })
  t.match(told.data, { success: true, info: '已通知对方正在输入' })
  for (const socket of sockets) t.same(await socket.next('typing'), push)
  t.same(await ask('message.typing', { peerUserId: other.id }, one.id), { ok: true, result: {} })
  for (const socket of sockets) t.same(await socket.next('typing'), push)

  // What goes out later comes later.
  const { data } = await send(one, other)
  t.equal(data.seq, 1, 'nothing of it is stored')
  for (const socket of [elsewhere, writing]) await socket.next('message')
  for (const socket of [elsewhere, writing]) t.notOk(tagsOf(socket).includes('typing'))
  t.match((await one.post('/chat/chat!typing', { peerUserId: one.id })).data, { code: 'NO_SUCH_RECEIVER' })
})

t.test('who types in a group is told to the other members, unless the group is large', async (t) => {
  const [owner, member, outsider] = [await newPerson(), await newPerson(), await newPerson()]
  const groupId = await newGroup(owner, [owner.number, member.number])
  const [atOwner, atMember] = [await owner.socket(), await member.socket({ gateway: 1 })]
  const atOutsider = await outsider.socket()
  atMember.send('typing', { sessionId: groupId })
  t.same(await atOwner.next('typing'), { sessionId: groupId, peerUserId: 0, userId: member.number })

  atOutsider.send('typing', { sessionId: groupId })
  t.match((await outsider.post('/chat/chat!typing', { sessionId: groupId })).data, { code: 'NOT_A_MEMBER' })
  await send(owner, groupId)
  await atMember.next('message')
  t.notOk(tagsOf(atMember).includes('typing'))
  t.notOk(tagsOf(atOutsider).includes('typing'))

  const crowd = Array.from({ length: 99 }, (_, i) => member.number + 1_000 + i)
  for (const [size, told] of [
    [100, true],
    [101, false],
  ] as const) {
    const large = await newGroup(owner, [owner.number, member.number, ...crowd.slice(0, size - 2)])
    t.match((await owner.post('/chat/chat!typing', { sessionId: large })).data, { success: true })
    await send(owner, large)
    await atMember.next('message', ({ sessionId }) => sessionId === large)
    const pushes = atMember.frames.filter(({ tag, data }) => tag === 'typing' && data.sessionId === large)
    t.equal(pushes.length, told ? 1 : 0, `${size} members`)
  }
})

t.test(
  'a contact is online while a device is connected, on whichever gateway; who is no contact is left out',
  async (t) => {
    const [one, contact, stranger] = [await newPerson(), await newPerson(), await newPerson()]
    await send(one, contact)
    const asking = await one.socket()
    const atStranger = await stranger.socket()
    const userIds = [stranger.number, contact.id]
    const states = async () => {
      const { data } = await one.post('/chat/chat!queryPresence', { userIds })
      t.match(data, { success: true, info: '获取在线状态成功' })
      t.same((await asking.ask('queryPresence', { userIds })).result, { users: data.users })
      return data.users
    }
    const online = { userId: contact.number, online: true }
    t.same(await states(), [{ ...online, online: false }])
    const first = await contact.socket({ gateway: 1 })
    t.same(await states(), [online])
    const second = await contact.socket({ gateway: 0 })
    await first.close()
    t.same(await states(), [online])
    t.same(await ask('presence.get', { userIds: [stranger.id, contact.number, '77'] }), {
      ok: true,
      result: {
        users: [
          { userId: stranger.id, online: true },
          { userId: contact.id, online: true },
          { userId: '77', online: false },
        ],
      },
    })
    await second.close()
    // Between the two answers of one look the contact may go.
    const isAway = async () => (await one.post('/chat/chat!queryPresence', { userIds })).data.users[0].online === false
    await eventually(isAway, 'the contact is away')
    t.same(await states(), [{ ...online, online: false }])
    await atStranger.close()
    t.match(await one.post('/chat/chat!queryPresence', { userIds: Array.from({ length: 501 }, (_, i) => i + 1) }), {
      status: 400,
      data: { code: 'BAD_REQUEST', details: { field: 'userIds' } },
    })
  },
)

t.test(
  'who is blocked is refused from the answer on, on both edges and all gateways, until it is taken back',
  async (t) => {
    const [blocker, blocked] = [await newPerson(), await newPerson()]
    const [atBlocker, atBlocked] = [await blocker.socket({ gateway: 1 }), await blocked.socket({ gateway: 0 })]
    await send(blocked, blocker, { msgId: 'before', contentStr: 'before' })
    for (const socket of [atBlocker, atBlocked]) t.equal((await socket.next('message')).contentStr, 'before')

    const answer = await blocker.post('/chat/chat!blockUser', { blockUserId: blocked.id }, { gateway: 1 })
    t.match(answer.data, { success: true, info: '已屏蔽该用户' })
    for (const gateway of [0, 1]) {
      const refused = await blocked.post(
        '/chat/chat!sendMessage',
        { toUserId: blocker.id, msgId: `h${gateway}`, msgContentType: 1, contentStr: 'refused' },
        { gateway },
      )
      t.match(refused.data, { success: false, ...notAllowed })
    }
    const ack = await atBlocked.message({ toUserId: blocker.number, msgId: 's', contentStr: 'refused' })
    t.same(ack, { msgId: 's', code: errors.NOT_ALLOWED.number, info: errors.NOT_ALLOWED.zh })
    const again = await send(blocked, blocker, { msgId: 'before', contentStr: 'before' })
    t.match(again.data, { success: true, seq: 1, duplicate: true }, 'what was stored before is answered as it was')

    t.same((await atBlocked.ask('queryPresence', { userIds: [blocker.id] })).result, {
      users: [{ userId: blocker.number, online: false }],
    })
    t.same((await atBlocker.ask('queryPresence', { userIds: [blocked.id] })).result, {
      users: [{ userId: blocked.number, online: true }],
    })
    atBlocked.send('typing', { peerUserId: blocker.number })
    t.same((await atBlocker.ask('blockList')).result, { userIds: [blocked.number] })
    t.match((await blocked.post('/chat/chat!blockList')).data, { success: true, userIds: [] })

    t.match((await send(blocker, blocked, { contentStr: 'one way' })).data, { success: true, seq: 2 })
    t.equal((await atBlocked.next('message')).contentStr, 'one way')
    await atBlocker.next('message')
    t.same(
      tagsOf(atBlocker).filter((tag) => tag === 'typing' || tag === 'message'),
      ['message', 'message'],
    )

    t.same((await atBlocker.ask('unblockUser', { blockUserId: blocked.number })).result, {})
    t.match((await atBlocked.message({ toUserId: blocker.number, msgId: 's', contentStr: 'again' })) as object, {
      seq: 3,
    })
    t.equal((await atBlocker.next('message')).contentStr, 'again')
    t.same((await atBlocker.ask('blockList')).result, { userIds: [] })
    t.match((await blocker.post('/chat/chat!blockUser', { blockUserId: blocker.id })).data, {
      code: 'NO_SUCH_RECEIVER',
    })
  },
)

t.test('who is blocked may still write in a group both are in', async (t) => {
  const [blocker, blocked] = [await newPerson(), await newPerson()]
  const groupId = await newGroup(blocker, [blocker.number, blocked.number])
  const atBlocker = await blocker.socket({ gateway: 1 })
  t.same(await ask('message.blockUser', { blockUserId: blocked.id }, blocker.id), { ok: true, result: {} })
  t.match((await send(blocked, groupId)).data, { success: true })
  await atBlocker.next('message')
})

t.test('the block list comes page by page', async (t) => {
  const person = await newPerson()
  const others = Array.from({ length: 12 }, (_, i) => 900_000_000 + i)
  await Promise.all(others.map((blockUserId) => ask('message.blockUser', { blockUserId }, person.id)))
  const all = await person.post('/chat/chat!blockList')
  t.same(all.data.userIds, others)
  const rest = await person.post('/chat/chat!blockList', { after: others[9] })
  t.same(rest.data.userIds, others.slice(10))
})

t.test('a conversation is muted by who is in it', async (t) => {
  const [owner, other, outsider] = [await newPerson(), await newPerson(), await newPerson()]
  const groupId = await newGroup(owner, [owner.number])
  const socket = await owner.socket({ gateway: 1 })
  for (const muted of [true, true, false]) {
    const answer = await owner.post('/chat/chat!muteConversation', { sessionId: groupId, muted })
    t.match(answer.data, { success: true, info: '消息免打扰设置成功' })
    t.same((await socket.ask('muteConversation', { peerUserId: other.number, muted })).result, {})
  }
  const refused = await outsider.post('/chat/chat!muteConversation', { sessionId: groupId, muted: true })
  t.match(refused.data, { code: 'NOT_A_MEMBER' })
  t.match((await owner.post('/chat/chat!muteConversation', { sessionId: groupId })).data, {
    code: 'BAD_REQUEST',
    details: { field: 'muted' },
  })
})
