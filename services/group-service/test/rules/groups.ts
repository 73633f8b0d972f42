import type { Test } from 'tap'
import { castGroup, newUsers, outcomeOf, rolesIn, type World } from './world.ts'

/** Making, changing, handing over and deleting groups. */
export function groups(t: Test, world: World): void {
  t.test('a new group has an id of 15 digits, its creator as owner and the others as members, each once', async (t) => {
    const [owner = '', one = '', two = ''] = newUsers(3)
    const memberIds = [owner, Number(one), one, two]
    const { groupId } = await world.call('group.createGroup', owner, { groupName: '群', memberIds })
    t.match(groupId, /^[1-9]\d{14}$/)
    t.same(await rolesIn(world, groupId), { [owner]: 'owner', [one]: 'member', [two]: 'member' })
  })

  t.test('the creator is the owner also when the list leaves them out', async (t) => {
    const [owner = '', one = ''] = newUsers(2)
    const { groupId } = await world.call('group.createGroup', owner, { groupName: '群', memberIds: [one] })
    t.same(await rolesIn(world, groupId), { [owner]: 'owner', [one]: 'member' })
  })

  t.test('a taskId makes one group of a repeated creation, per creator', async (t) => {
    const [owner = '', other = ''] = newUsers(2)
    const make = (user: string, taskId?: string | number) =>
      world.call('group.createGroup', user, { groupName: '群', memberIds: [], ...(taskId !== undefined && { taskId }) })
    const first = await make(owner, 'task-1')
    t.same(await make(owner, 'task-1'), first)
    t.not((await make(owner, 'task-2')).groupId, first.groupId)
    t.not((await make(other, 'task-1')).groupId, first.groupId)
    t.not((await make(owner, '')).groupId, (await make(owner, '')).groupId, 'an empty one means nothing')
    t.not((await make(owner)).groupId, (await make(owner)).groupId)
    t.equal((await world.call('group.groupList', owner, {})).groupList.length, 6)
  })

  t.test('a creation repeated five times at once makes one group', async (t) => {
    const [owner = ''] = newUsers(1)
    const input = { groupName: '群', memberIds: newUsers(3), taskId: 7 }
    const made = await Promise.all(Array.from({ length: 5 }, () => world.call('group.createGroup', owner, input)))
    t.equal(new Set(made.map(({ groupId }) => groupId)).size, 1)
    t.equal((await world.call('group.groupList', owner, {})).groupList.length, 1)
  })

  t.test('an update changes what it names; empty and absent stay', async (t) => {
    const { groupId, owner, admin } = await castGroup(world, {
      introduction: '介绍',
      notice: '公告',
      projectName: '项目',
    })
    await world.call('group.updateGroup', admin, { groupId, groupName: '新名', notice: '', type: 2 })
    const { groupInfo } = await world.call('group.getGroupDetail', owner, { groupId })
    t.same(groupInfo, {
      groupId,
      projectName: '项目',
      groupName: '新名',
      type: '2',
      introduction: '介绍',
      notice: '公告',
      creator_id: owner,
    })
    await world.call('group.updateGroupInfo', admin, { groupId, groupHeadImage: 'head.png', groupName: '' })
    const model = await world.call('group.queryGroupInfo', owner, { groupId })
    t.match(model, { groupName: '新名', groupHeadImage: 'head.png', creator: Number(owner) })
  })

  t.test('an update that changes nothing leaves the time of the last one', async (t) => {
    const { groupId, owner } = await castGroup(world)
    const before = await world.call('group.queryGroupInfo', owner, { groupId })
    await world.call('group.updateGroupInfo', owner, { groupId, groupName: '测试群', creator: '' as never })
    t.same(await world.call('group.queryGroupInfo', owner, { groupId }), before)
  })

  t.test(
    'slow mode is set by the owner and admins, shown while it is on, and told to the owner of the partition',
    async (t) => {
      const { groupId, owner, admin, member } = await castGroup(world)
      const shown = async () => [
        (await world.call('group.getGroupDetail', member, { groupId })).groupInfo.slowModeMs,
        (await world.call('group.queryGroupInfo', member, { groupId })).slowModeMs,
        (await world.call('group.membersOf', '', { groupId })).slowModeMs,
      ]
      t.same(await shown(), [undefined, undefined, undefined])
      t.same(await world.call('group.versionsOf', '', { groupIds: [groupId] }), { versions: [2] })
      await world.call('group.updateGroup', admin, { groupId, slowModeMs: '30000' })
      t.same(await shown(), [30_000, 30_000, 30_000])
      t.match(world.told(groupId).at(-1), { version: 3, added: [], removed: [], notice: { reason: 'updated' } })
      await world.call('group.updateGroupInfo', owner, { groupId, slowModeMs: 30_000, groupName: '慢' })
      t.same(await world.call('group.versionsOf', '', { groupIds: [groupId] }), { versions: [3] }, 'unchanged it is')
      t.equal(await outcomeOf(world.call('group.updateGroup', member, { groupId, slowModeMs: 0 })), 'NOT_ALLOWED')
      await world.call('group.updateGroup', owner, { groupId, slowModeMs: 0 })
      t.same(await shown(), [undefined, undefined, undefined])
      const before = world.told(groupId).at(-1)?.version
      await world.call('group.updateGroup', owner, { groupId, slowModeMs: 0 })
      t.equal(world.told(groupId).at(-1)?.version, before)
      const made = await world.call('group.createGroup', owner, { groupName: '新', memberIds: [], slowModeMs: 1_000 })
      t.equal((await world.call('group.queryGroupInfo', owner, made)).slowModeMs, 1_000)
    },
  )

  t.test('a slow mode below 0, above an hour or of half a millisecond is none', async (t) => {
    const { groupId, owner } = await castGroup(world)
    for (const slowModeMs of [-1, 3_600_001, 1.5, 'soon'])
      t.equal(await outcomeOf(world.call('group.updateGroup', owner, { groupId, slowModeMs })), 'BAD_REQUEST')
    t.equal(await outcomeOf(world.call('group.updateGroup', owner, { groupId, slowModeMs: 3_600_000 })), 'done')
  })

  t.test('a transfer makes the new owner and a plain member of the old one', async (t) => {
    const { groupId, owner, admin, member } = await castGroup(world)
    t.same(
      await world.call('group.updateGroupInfo', owner, { groupId, creator: Number(member), groupName: '移交' }),
      {},
    )
    t.same(await rolesIn(world, groupId), { [owner]: 'member', [admin]: 'admin', [member]: 'owner' })
    const model = await world.call('group.queryGroupInfo', owner, { groupId })
    t.match(model, { creator: Number(member), groupName: '移交' })
    t.same(new Set(model.memberIds), new Set([Number(owner), Number(admin)]))
    t.equal(await outcomeOf(world.call('group.exitGroup', owner, { groupId })), 'done')
  })

  t.test('a refused transfer changes no text either', async (t) => {
    const { groupId, owner, admin, member, outsider } = await castGroup(world)
    const toStranger = world.call('group.updateGroupInfo', owner, { groupId, creator: outsider, groupName: '不' })
    t.equal(await outcomeOf(toStranger), 'MEMBER_NOT_FOUND')
    const byAdmin = world.call('group.updateGroupInfo', admin, { groupId, creator: member, groupName: '不' })
    t.equal(await outcomeOf(byAdmin), 'NOT_ALLOWED')
    t.equal((await world.call('group.queryGroupInfo', owner, { groupId })).groupName, '测试群')
  })

  t.test('an admin made plain again may leave', async (t) => {
    const { groupId, owner, admin } = await castGroup(world)
    t.same(await world.call('group.setAdmin', owner, { groupId, memberId: admin, admin: false }), {})
    t.equal(await outcomeOf(world.call('group.exitGroup', admin, { groupId })), 'done')
  })

  t.test('a deleted group is in no list, and its id comes back for nobody', async (t) => {
    const { groupId, owner, admin, member } = await castGroup(world)
    t.same(await world.call('group.deleteGroup', owner, { groupId }), {})
    for (const user of [owner, admin, member]) {
      t.same(await world.call('group.groupList', user, {}), { groupList: [] })
      t.same(await world.call('group.queryGroupList', user, {}), [])
      t.same(await world.call('group.groupsOfUser', '', { userId: user }), { userId: Number(user), groupIds: [] })
      t.same(await world.call('group.membershipsOf', '', { userId: user }), { memberships: [] })
    }
    t.same(await world.call('group.versionsOf', '', { groupIds: [groupId] }), { versions: [0] })
  })
}
