import type { Test } from 'tap'
import { castGroup, newUsers, outcomeOf, type World } from './world.ts'

/** When a user was a member of a group, and what members of a group with `history: joined` are told by it. */
export function intervals(t: Test, world: World): void {
  const membership = async (groupId: string, userId: string) => {
    const one = await world.call('group.memberOf', '', { groupId, userId })
    const { memberships } = await world.call('group.membershipsOf', '', { userId })
    const { role: _, ...shown } = one
    const listed = memberships.find((membership) => membership.groupId === groupId)
    t.same(listed, { groupId, ...shown }, 'one and all say the same')
    return one
  }
  const setHistory = (groupId: string, owner: string, history: 'all' | 'joined') =>
    world.call('group.updateGroup', owner, { groupId, history })
  const seqs = async (groupId: string, userId: string) =>
    (await membership(groupId, userId)).visible?.map(({ afterSeq, toSeq }) => [afterSeq, toSeq])

  t.test('the first members of a group have joined before its first message, whoever confirms', async (t) => {
    const [owner = '', one = ''] = newUsers(2)
    const { groupId } = await world.call('group.createGroup', owner, { groupName: '群', memberIds: [one] })
    t.match(await membership(groupId, one), { joinedSeq: 0, visible: undefined })
    const { members } = await world.call('group.membersOf', '', { groupId })
    t.match(
      members.map(({ joinedSeq }) => joinedSeq),
      [0, 0],
    )
  })

  t.test('who joins or is added later has joined at the seq that the owner confirms', async (t) => {
    const { groupId, owner, outsider } = await castGroup(world)
    const [added = ''] = newUsers(1)
    world.newest(groupId, 70)
    await world.call('group.joinGroup', outsider, { groupId })
    world.newest(groupId, 80)
    await world.call('group.addGroupMembers', owner, { groupId, memberIds: [added, outsider] })
    t.match(await membership(groupId, outsider), { joinedSeq: 70 })
    t.match(await membership(groupId, added), { joinedSeq: 80 })
    const { members } = await world.call('group.membersOf', '', { groupId })
    t.equal(members.find(({ userId }) => userId === added)?.joinedSeq, 80)
  })

  t.test('where nobody confirms, the time stands for the seq, also when the call is made again later', async (t) => {
    const { groupId, outsider } = await castGroup(world, { history: 'joined' })
    world.newest(groupId, undefined)
    await world.call('group.joinGroup', outsider, { groupId })
    world.newest(groupId, 90)
    await world.call('group.joinGroup', outsider, { groupId })
    const { joinedAt, joinedSeq, visible } = await membership(groupId, outsider)
    t.equal(joinedSeq, undefined)
    t.same(visible, [{ afterTime: joinedAt }])
    const { members } = await world.call('group.membersOf', '', { groupId })
    t.same(
      members.find(({ userId }) => userId === outsider),
      { userId: outsider, role: 'member', joinedAt },
    )
  })

  t.test('who left, was kicked and came back has been a member at those times and not in between', async (t) => {
    const { groupId, owner, member } = await castGroup(world, { history: 'joined' })
    world.newest(groupId, 10)
    await world.call('group.exitGroup', member, { groupId })
    t.equal(await outcomeOf(world.call('group.memberOf', '', { groupId, userId: member })), 'NOT_A_MEMBER')
    world.newest(groupId, 20)
    await world.call('group.joinGroup', member, { groupId })
    world.newest(groupId, 30)
    await world.call('group.kickGroupMembers', owner, { groupId, memberIds: [member] })
    world.newest(groupId, 40)
    await world.call('group.addGroupMembers', owner, { groupId, memberIds: [member] })
    t.same(await seqs(groupId, member), [
      [0, 10],
      [20, 30],
      [40, undefined],
    ])
    const { visible = [], joinedAt } = await membership(groupId, member)
    const times = visible.flatMap(({ afterTime, toTime }) => [afterTime, toTime])
    t.same(
      times.slice(0, 5),
      (times.slice(0, 5) as number[]).toSorted((one, other) => one - other),
    )
    t.same(times.slice(4), [joinedAt, undefined])
    t.same(await seqs(groupId, owner), [[0, undefined]], 'each has their own')
  })

  t.test('a leaving that nobody confirms ends by time, and the coming back begins by seq', async (t) => {
    const { groupId, member } = await castGroup(world, { history: 'joined' })
    world.newest(groupId, undefined)
    await world.call('group.exitGroup', member, { groupId })
    world.newest(groupId, 33)
    await world.call('group.joinGroup', member, { groupId })
    const { visible = [] } = await membership(groupId, member)
    t.match(visible, [{ afterSeq: 0, toTime: Number }, { afterSeq: 33 }])
    t.equal(visible[0]?.toSeq, undefined)
  })

  t.test('the setting says whether intervals are told, not whether they are kept', async (t) => {
    const { groupId, owner, member } = await castGroup(world)
    world.newest(groupId, 5)
    await world.call('group.exitGroup', member, { groupId })
    await world.call('group.joinGroup', member, { groupId })
    t.equal(await seqs(groupId, member), undefined)
    await setHistory(groupId, owner, 'joined')
    t.same(await seqs(groupId, member), [
      [0, 5],
      [5, undefined],
    ])
    await setHistory(groupId, owner, 'all')
    t.equal(await seqs(groupId, member), undefined)
  })

  t.test(
    'the setting is for the owner and admins, and shown only when members read what they were there for',
    async (t) => {
      const { groupId, owner, admin, member } = await castGroup(world)
      const shown = async () => {
        const { groupInfo } = await world.call('group.getGroupDetail', member, { groupId })
        const model = await world.call('group.queryGroupInfo', member, { groupId })
        const { history } = await world.call('group.membersOf', '', { groupId })
        return [groupInfo.history, model.history, history]
      }
      t.same(await shown(), [undefined, undefined, undefined])
      t.equal(await outcomeOf(setHistory(groupId, member, 'joined')), 'NOT_ALLOWED')
      await setHistory(groupId, admin, 'joined')
      t.same(await shown(), ['joined', 'joined', 'joined'])
      const { version = 0 } = world.told(groupId).at(-1) ?? {}
      await world.call('group.updateGroupInfo', owner, { groupId, history: 'all' })
      t.same(await shown(), [undefined, undefined, undefined])
      t.equal(world.told(groupId).at(-1)?.version, version + 1, 'owners read anew whose history it is')
      const told = world.told(groupId).length
      await setHistory(groupId, owner, 'all')
      t.notOk(
        world
          .told(groupId)
          .slice(told)
          .some(({ notice }) => notice),
        'what is so already changes nothing',
      )
    },
  )

  t.test('a group may begin with the setting', async (t) => {
    const { groupId, member } = await castGroup(world, { history: 'joined' })
    t.match(await world.call('group.queryGroupInfo', member, { groupId }), { history: 'joined' })
  })
}
