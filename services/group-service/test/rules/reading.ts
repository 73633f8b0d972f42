import { profileFieldNames } from '@qunxin/contracts'
import type { Test } from 'tap'
import { castGroup, newUsers, outcomeOf, type World } from './world.ts'

/** Lists, details, and what other services ask. */
export function reading(t: Test, world: World): void {
  t.test('the list has all fields as strings, oldest membership first', async (t) => {
    const [owner = '', user = ''] = newUsers(2)
    const groupIds: string[] = []
    for (const groupName of ['一', '二', '三']) {
      const settings = { groupName, projectName: '项目', introduction: '介绍', notice: '公告', type: '1' as const }
      groupIds.push((await world.call('group.createGroup', owner, { memberIds: [], ...settings })).groupId)
    }
    for (const groupId of groupIds.toReversed()) await world.call('group.joinGroup', user, { groupId })
    const { groupList } = await world.call('group.groupList', user, {})
    t.same(
      groupList.map(({ groupName }) => groupName),
      ['三', '二', '一'],
    )
    t.same(groupList[0], {
      groupId: groupIds[2],
      projectName: '项目',
      groupName: '三',
      type: '1',
      introduction: '介绍',
      notice: '公告',
      creator_id: owner,
    })
    const models = await world.call('group.queryGroupList', user, {})
    t.same(
      models.map(({ groupId, memberIds }) => ({ groupId, memberIds })),
      groupIds.toReversed().map((groupId) => ({ groupId, memberIds: [Number(user)] })),
    )
    t.same(await world.call('group.groupsOfUser', '', { userId: user }), {
      userId: Number(user),
      groupIds: groupIds.toReversed(),
    })
    const { memberships } = await world.call('group.membershipsOf', '', { userId: user })
    t.same(
      memberships.map(({ groupId }) => groupId),
      groupIds.toReversed(),
    )
    const joinedAt = await world.call('group.memberOf', '', { groupId: groupIds[2]!, userId: user })
    t.same(joinedAt, { joinedAt: memberships[0]?.joinedAt, joinedSeq: 0, role: 'member' })
  })

  t.test('a model has ids and times as numbers, and no owner among the members', async (t) => {
    const { groupId, owner, admin, member } = await castGroup(world)
    const model = await world.call('group.queryGroupInfo', member, { groupId })
    t.same(Object.keys(model).sort(), [
      'createDate',
      'creator',
      'groupHeadImage',
      'groupId',
      'groupName',
      'memberIds',
      'updateDate',
    ])
    t.match(model, { groupId, groupName: '测试群', groupHeadImage: '', creator: Number(owner) })
    t.same(new Set(model.memberIds), new Set([Number(admin), Number(member)]))
    t.ok(model.updateDate >= model.createDate)
    t.same(await world.call('group.queryGroupList', member, {}), [model])
  })

  t.test('details show the owner first, then admins, then by the time of joining', async (t) => {
    const { groupId, owner, admin, member, outsider } = await castGroup(world)
    await world.call('group.joinGroup', outsider, { groupId })
    await world.call('group.setAdmin', owner, { groupId, memberId: outsider, admin: true })
    const { userList } = await world.call('group.getGroupDetail', member, { groupId })
    t.same(
      userList.map(({ userId, user_type }) => [userId, user_type]),
      [
        [Number(owner), '1'],
        [Number(admin), '2'],
        [Number(outsider), '2'],
        [Number(member), '3'],
      ],
    )
  })

  t.test('details have the profile and the name in the group, empty where unknown', async (t) => {
    const { groupId, member, owner } = await castGroup(world)
    await world.call('user.put', '', { users: [{ userId: owner, nickName: '小王子', sex: '1', province: '44' }] })
    await world.call('group.userSetGroup', owner, { groupId, showName: '彪彪' })
    const { userList } = await world.call('group.getGroupDetail', member, { groupId })
    const unknown = Object.fromEntries(profileFieldNames.map((name) => [name, '']))
    t.same(userList[0], {
      userId: Number(owner),
      ...unknown,
      nickName: '小王子',
      sex: '1',
      province: '44',
      user_type: '1',
      show_name: '彪彪',
    })
    t.same(userList.at(-1), { userId: Number(member), ...unknown, user_type: '3', show_name: '' })
    await world.call('group.userSetGroup', owner, { groupId, showName: '' })
    const after = await world.call('group.getGroupDetail', member, { groupId })
    t.equal(after.userList[0]?.show_name, '', 'an empty name takes it away')
  })

  t.test('services get members with roles, and the version counts every change of them', async (t) => {
    const { groupId, owner, admin, member, outsider } = await castGroup(world)
    const { members, version } = await world.call('group.membersOf', '', { groupId })
    t.same(
      new Set(members.map(({ userId, role }) => `${userId} ${role}`)),
      new Set([`${owner} owner`, `${admin} admin`, `${member} member`]),
    )
    t.equal(version, 2, 'made, and one made admin')
    await world.call('group.joinGroup', outsider, { groupId })
    await world.call('group.joinGroup', outsider, { groupId })
    await world.call('group.updateGroup', owner, { groupId, groupName: '别名' })
    await world.call('group.userSetGroup', owner, { groupId, showName: '我' })
    const versions = await world.call('group.versionsOf', '', { groupIds: ['42', groupId, groupId] })
    t.same(versions, { versions: [0, 3, 3] })
    t.equal(await outcomeOf(world.call('group.memberOf', '', { groupId, userId: '42' })), 'NOT_A_MEMBER')
  })
}
