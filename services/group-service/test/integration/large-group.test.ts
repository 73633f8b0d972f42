import { operations } from '@qunxin/contracts'
import t from 'tap'
import { startGroupService } from '../../src/service.ts'
import { newUsers } from '../rules/world.ts'
import { logger, ownBus, ownConfig, ownDatabase, ownerTold, until } from './servers.ts'

const MEMBERS = 10_000
const config = ownConfig()
const db = await ownDatabase(t, config)
const bus = await ownBus(t, config)
const told = await ownerTold(bus)
const service = await startGroupService(config, { logger })
t.teardown(() => service.stop())

const users = newUsers(MEMBERS)
const owner = users[0]!
const asOwner = { user: owner, timeoutMs: 20_000 }
const { groupId } = await bus.request(
  operations['group.createGroup'],
  { groupName: '万人群', memberIds: users.slice(0, 500) },
  asOwner,
)
for (let at = 500; at < MEMBERS; at += 500) {
  const memberIds = users.slice(at, at + 500)
  await bus.request(operations['group.addGroupMembers'], { groupId, memberIds }, asOwner)
  await bus.request(operations['user.put'], {
    users: memberIds.map((userId) => ({ userId, nickName: `昵称${userId}` })),
  })
}

/** Writes how long it took beside the tests; nothing is asserted about it. */
async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await work()
  t.comment(`${what}: ${Math.round(performance.now() - started)} ms`)
  return result
}

t.test('ten thousand members are read whole, with their profiles', async (t) => {
  const { userList } = await timed('details', () =>
    bus.request(operations['group.getGroupDetail'], { groupId }, asOwner),
  )
  t.equal(userList.length, MEMBERS)
  t.same(new Set(userList.map(({ userId }) => String(userId))), new Set(users))
  t.match(userList[0], { userId: Number(owner), user_type: '1', nickName: '' })
  t.ok(userList.slice(500).every(({ userId, nickName }) => nickName === `昵称${userId}`))
  const { members, version } = await timed('members', () => bus.request(operations['group.membersOf'], { groupId }))
  t.same([members.length, version], [MEMBERS, MEMBERS / 500])
  const model = await timed('model', () => bus.request(operations['group.queryGroupInfo'], { groupId }, asOwner))
  t.equal(model.memberIds.length, MEMBERS - 1)
  const models = await timed('list', () => bus.request(operations['group.queryGroupList'], {}, asOwner))
  t.equal(models[0]?.memberIds.length, MEMBERS - 1)
})

t.test('the group is full, and has room again when one has left', async (t) => {
  const [late = ''] = newUsers(1)
  const join = () => bus.request(operations['group.joinGroup'], { groupId }, { user: late })
  await t.rejects(join(), { code: 'GROUP_FULL' })
  await bus.request(operations['group.exitGroup'], { groupId }, { user: users[9]! })
  await join()
})

t.test('its deletion tells everybody in one message and appears nowhere from then on', async (t) => {
  await timed('deletion', () => bus.request(operations['group.deleteGroup'], { groupId }, asOwner))
  t.match(told.at(-1), { groupId, deleted: true, notice: { reason: 'deleted' } })
  t.equal(told.at(-1)?.notice?.listChanged.length, MEMBERS)
  t.same(await bus.request(operations['group.queryGroupList'], {}, asOwner), [])
  t.same(await bus.request(operations['group.membershipsOf'], { userId: users[5]! }), { memberships: [] })
  await until('its members are removed', async () => (await db.members.countDocuments({ group: groupId })) === 0)
})

t.test('the versions of a thousand groups are one question', async (t) => {
  const doc = (await db.groups.findOne({ _id: groupId }))!
  const { deleted: _deleted, unswept: _unswept, ...alive } = doc
  const groupIds = Array.from({ length: 1_000 }, (_, i) => String(1_000 + i))
  await db.groups.insertMany(groupIds.map((_id, i) => ({ ...alive, _id, membersVersion: i + 1 })))
  const { versions } = await timed('versions', () => bus.request(operations['group.versionsOf'], { groupIds }))
  t.same(
    versions,
    groupIds.map((_, i) => i + 1),
  )
})
