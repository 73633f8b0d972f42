import { randomUUID } from 'node:crypto'
import t from 'tap'
import { people } from '../people.ts'
import { testSystem } from '../system.ts'

const newPerson = people(t, await testSystem(t))
const HOUR_MS = 3_600_000
const INFO = '操作过于频繁，请稍后再试'

t.test('slow mode holds on both edges and over all gateways, for plain members only', async (t) => {
  const [owner, admin, member] = [await newPerson(), await newPerson(), await newPerson()]
  const [first, second, third] = [await owner.socket(), await admin.socket(), await member.socket({ gateway: 1 })]
  const { result } = await first.ask('createGroup', {
    userId: owner.number,
    groupName: '慢群',
    memberIds: [owner, admin, member].map(({ number }) => number),
  })
  const { groupId } = result
  await first.ask('setAdmin', { userId: owner.number, groupId, memberId: admin.number, admin: true })
  const refused = await third.ask('updateGroupInfo', { userId: member.number, groupId, slowModeMs: 1 })
  t.equal(refused.code, 2003)
  t.strictSame((await admin.post('/chat/group!updateGroup', { groupId, slowModeMs: HOUR_MS })).data, {
    success: true,
    info: '修改群资料成功',
  })
  t.equal((await third.ask('queryGroupInfo', { userId: member.number, groupId })).result.slowModeMs, HOUR_MS)
  const { data } = await member.post('/chat/group!getGroupDetail', { groupId })
  t.equal(data.groupInfo.slowModeMs, HOUR_MS)

  const message = (text: string, msgId: string) => ({ toUserId: 0, sessionId: groupId, contentStr: text, msgId })
  const stored = await third.message(message('first', 'm1'))
  t.match(stored, { msgId: 'm1', seq: 1 })
  const { details, ...ack } = await third.message(message('second', 'm2'))
  t.strictSame(ack, { msgId: 'm2', code: 1007, info: INFO })
  t.ok(details.retryAfterMs > HOUR_MS - 60_000 && details.retryAfterMs <= HOUR_MS)
  t.match(await third.message(message('first', 'm1')), { seq: 1, duplicate: true })
  const posted = await member.post('/chat/chat!sendMessage', { ...message('third', randomUUID()), msgContentType: '1' })
  t.equal(posted.status, 429)
  t.match(posted.data, { success: false, code: 'RATE_LIMITED', info: INFO, details: { retryAfterMs: Number } })
  t.ok(Number(posted.headers.get('retry-after')) > HOUR_MS / 1_000 - 60)
  for (const [socket, seq] of [
    [first, 2],
    [second, 3],
    [first, 4],
    [second, 5],
  ] as const)
    t.match(await socket.message({ toUserId: 0, sessionId: groupId }), { seq })

  await first.ask('updateGroupInfo', { userId: owner.number, groupId, slowModeMs: 0 })
  t.match(await third.message(message('second', 'm2')), { seq: 6 })
  const shown = await third.ask('queryGroupInfo', { userId: member.number, groupId })
  t.notOk('slowModeMs' in shown.result, 'a group without it looks as the seeds have it')
})

t.test('the SDK sends what came too early when its time has come, and in order', async (t) => {
  const [owner, member] = [await newPerson(), await newPerson()]
  const [boss, client] = [await owner.client(), await member.client({ gateway: 1 })]
  const { groupId } = await boss.call<{ groupId: string }>('createGroup', {
    groupName: '慢群',
    memberIds: [owner.number, member.number],
    slowModeMs: 400,
  })
  const acks = await Promise.all(['1', '2', '3'].map((text) => client.send({ group: groupId, text })))
  t.same(
    acks.map(({ seq }) => seq),
    [1, 2, 3],
  )
  const times = acks.map(({ serverReceiveDate }) => serverReceiveDate)
  const gaps = times.slice(1).map((at, i) => at - (times[i] as number))
  t.ok(
    gaps.every((gap) => gap >= 400),
    gaps.join(' '),
  )
  await boss.call('updateGroupInfo', { groupId, slowModeMs: HOUR_MS })
  await t.rejects(client.send({ group: groupId, text: '4' }), { code: 1007, details: { retryAfterMs: Number } })
})
