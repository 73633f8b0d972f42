import type { Test } from 'tap'
import { castGroup, newUsers, outcomeOf, rolesIn, type World } from './world.ts'

/** Joining, leaving, adding and kicking. */
export function membership(t: Test, world: World): void {
  t.test('who joins is a plain member, and joining again changes nothing', async (t) => {
    const { groupId, outsider } = await castGroup(world)
    t.same(await world.call('group.joinGroup', outsider, { groupId }), {})
    const first = await world.call('group.membersOf', '', { groupId })
    t.same(await world.call('group.joinGroup', outsider, { groupId }), {})
    t.same(await world.call('group.membersOf', '', { groupId }), first)
    t.equal((await rolesIn(world, groupId))[outsider], 'member')
  })

  t.test('a closed group lets nobody join, but who is in may join again', async (t) => {
    const { groupId, member, outsider } = await castGroup(world, { join: 'closed' })
    t.equal(await outcomeOf(world.call('group.joinGroup', outsider, { groupId })), 'NOT_ALLOWED')
    t.equal(await outcomeOf(world.call('group.joinGroup', member, { groupId })), 'done')
  })

  t.test('a shareholder group is closed while nobody set otherwise, whatever type it had before', async (t) => {
    const { groupId, owner, outsider } = await castGroup(world, { type: '2' })
    const [other = ''] = newUsers(1)
    t.equal(await outcomeOf(world.call('group.joinGroup', outsider, { groupId })), 'NOT_ALLOWED')
    await world.call('group.updateGroup', owner, { groupId, type: '1' })
    t.equal(await outcomeOf(world.call('group.joinGroup', outsider, { groupId })), 'done')
    await world.call('group.updateGroup', owner, { groupId, type: '2', join: 'open' })
    t.equal(await outcomeOf(world.call('group.joinGroup', other, { groupId })), 'done')
  })

  t.test('any member adds others to a closed group; those already in are skipped', async (t) => {
    const { groupId, owner, member } = await castGroup(world, { join: 'closed' })
    const [one = '', two = ''] = newUsers(2)
    t.same(await world.call('group.addGroupMembers', member, { groupId, memberIds: [owner, one, two, one] }), {})
    const roles = await rolesIn(world, groupId)
    t.same([roles[owner], roles[one], roles[two]], ['owner', 'member', 'member'])
    t.equal(Object.keys(roles).length, 5)
  })

  t.test('where only admins add, a plain member may not, whoever is in the list', async (t) => {
    const { groupId, owner, admin, member } = await castGroup(world, { addBy: 'admins' })
    const [one = '', two = ''] = newUsers(2)
    t.equal(await outcomeOf(world.call('group.addGroupMembers', member, { groupId, memberIds: [one] })), 'NOT_ALLOWED')
    t.equal(await outcomeOf(world.call('group.addGroupMembers', member, { groupId, memberIds: [] })), 'NOT_ALLOWED')
    t.equal(await outcomeOf(world.call('group.addGroupMembers', admin, { groupId, memberIds: [one] })), 'done')
    await world.call('group.updateGroupInfo', owner, { groupId, addBy: 'members' })
    t.equal(await outcomeOf(world.call('group.addGroupMembers', member, { groupId, memberIds: [two] })), 'done')
  })

  t.test('who leaves is told the name of the group and is out', async (t) => {
    const { groupId, member } = await castGroup(world)
    t.same(await world.call('group.exitGroup', member, { groupId }), { groupName: '测试群' })
    t.notOk(member in (await rolesIn(world, groupId)))
    t.same((await world.call('group.groupList', member, {})).groupList, [])
    t.equal(await outcomeOf(world.call('group.exitGroup', member, { groupId })), 'NOT_A_MEMBER')
  })

  t.test('who comes back is a plain member without the old name', async (t) => {
    const { groupId, member } = await castGroup(world)
    await world.call('group.userSetGroup', member, { groupId, showName: '旧名' })
    await world.call('group.exitGroup', member, { groupId })
    await world.call('group.joinGroup', member, { groupId })
    const { userList } = await world.call('group.getGroupDetail', member, { groupId })
    t.match(userList.at(-1), { userId: Number(member), user_type: '3', show_name: '' })
  })

  t.test('a kick ignores the caller and strangers, and takes everyone else', async (t) => {
    const { groupId, admin, owner, member, outsider } = await castGroup(world)
    const [other = ''] = newUsers(1)
    await world.call('group.joinGroup', other, { groupId })
    t.same(
      await world.call('group.kickGroupMembers', admin, { groupId, memberIds: [admin, member, outsider, other] }),
      {},
    )
    t.same(await rolesIn(world, groupId), { [owner]: 'owner', [admin]: 'admin' })
  })

  t.test('an admin in the list keeps everyone else in', async (t) => {
    const { groupId, owner, admin, member } = await castGroup(world)
    const call = world.call('group.kickGroupMembers', owner, { groupId, memberIds: [member, admin] })
    t.equal(await outcomeOf(call), 'CANNOT_KICK_ADMIN')
    t.ok(member in (await rolesIn(world, groupId)))
  })

  t.test('a kick names whom it took by the name in the group, else the nickname, else the id', async (t) => {
    const { groupId, owner } = await castGroup(world)
    const [named = '', nicked = '', unknown = ''] = newUsers(3)
    await world.call('group.addGroupMembers', owner, { groupId, memberIds: [named, nicked, unknown] })
    await world.call('user.put', '', {
      users: [
        { userId: named, nickName: '昵称' },
        { userId: nicked, nickName: '彪彪小王子' },
      ],
    })
    await world.call('group.userSetGroup', named, { groupId, showName: '彪彪' })
    t.same(await world.call('group.deleteUser', owner, { groupId, groupUserId: named }), { name: '彪彪' })
    t.same(await world.call('group.deleteUser', owner, { groupId, groupUserId: nicked }), { name: '彪彪小王子' })
    t.same(await world.call('group.deleteUser', owner, { groupId, groupUserId: unknown }), { name: unknown })
  })
}
