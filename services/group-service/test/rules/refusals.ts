import { type OperationName, operations } from '@qunxin/contracts'
import type { Test } from 'tap'
import { type Cast, castGroup, newUsers, outcomeOf, type World } from './world.ts'

type Case = [name: OperationName, input: (cast: Cast) => object, outcomes: Partial<Record<keyof Cast, string>>]

const stranger = '999999999999'
const same = (outcome: string) => ({ owner: outcome, admin: outcome, member: outcome, outsider: outcome })

/** Who may do what: every operation about a group × every kind of caller, each in a group of its own. */
const cases: Case[] = [
  ['group.joinGroup', () => ({}), same('done')],
  ['group.getGroupDetail', () => ({}), { ...same('done'), outsider: 'NOT_A_MEMBER' }],
  ['group.queryGroupInfo', () => ({}), { ...same('done'), outsider: 'NOT_A_MEMBER' }],
  ['group.userSetGroup', () => ({ showName: '我' }), { ...same('done'), outsider: 'NOT_A_MEMBER' }],
  [
    'group.userSetGroup',
    ({ owner }) => ({ showName: '群主', groupUserId: owner }),
    { owner: 'done', admin: 'done', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.userSetGroup',
    () => ({ showName: '他', groupUserId: stranger }),
    { owner: 'MEMBER_NOT_FOUND', admin: 'MEMBER_NOT_FOUND', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.exitGroup',
    () => ({}),
    { owner: 'ADMIN_CANNOT_LEAVE', admin: 'ADMIN_CANNOT_LEAVE', member: 'done', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.deleteUser',
    ({ member }) => ({ groupUserId: member }),
    { owner: 'done', admin: 'done', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.deleteUser',
    ({ admin }) => ({ groupUserId: admin }),
    { owner: 'CANNOT_KICK_ADMIN', admin: 'CANNOT_KICK_ADMIN', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.deleteUser',
    ({ owner }) => ({ groupUserId: owner }),
    { owner: 'CANNOT_KICK_ADMIN', admin: 'CANNOT_KICK_ADMIN', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.deleteUser',
    () => ({ groupUserId: stranger }),
    { owner: 'MEMBER_NOT_FOUND', admin: 'MEMBER_NOT_FOUND', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.updateGroup',
    () => ({ groupName: '新群名' }),
    { owner: 'done', admin: 'done', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  ['group.addGroupMembers', () => ({ memberIds: [stranger] }), { ...same('done'), outsider: 'NOT_A_MEMBER' }],
  [
    'group.kickGroupMembers',
    ({ member }) => ({ memberIds: [member, stranger] }),
    { owner: 'done', admin: 'done', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.kickGroupMembers',
    ({ owner, admin, member }) => ({ memberIds: [member, owner, admin] }),
    { owner: 'CANNOT_KICK_ADMIN', admin: 'CANNOT_KICK_ADMIN', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.updateGroupInfo',
    () => ({ groupHeadImage: 'head.png' }),
    { owner: 'done', admin: 'done', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.updateGroupInfo',
    ({ member }) => ({ creator: member }),
    { owner: 'done', admin: 'NOT_ALLOWED', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.updateGroupInfo',
    () => ({ creator: stranger }),
    { owner: 'MEMBER_NOT_FOUND', admin: 'NOT_ALLOWED', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.updateGroupInfo',
    ({ owner }) => ({ creator: owner, groupName: '照旧' }),
    { owner: 'done', admin: 'done', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.setAdmin',
    ({ member }) => ({ memberId: member, admin: true }),
    { owner: 'done', admin: 'NOT_ALLOWED', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.setAdmin',
    ({ owner }) => ({ memberId: owner, admin: false }),
    { owner: 'NOT_ALLOWED', admin: 'NOT_ALLOWED', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.setAdmin',
    () => ({ memberId: stranger, admin: true }),
    { owner: 'MEMBER_NOT_FOUND', admin: 'NOT_ALLOWED', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
  [
    'group.deleteGroup',
    () => ({}),
    { owner: 'done', admin: 'NOT_ALLOWED', member: 'NOT_ALLOWED', outsider: 'NOT_A_MEMBER' },
  ],
]

export function refusals(t: Test, world: World): void {
  for (const [name, input, outcomes] of cases) {
    t.test(`${name} ${input.toString()} answers each kind of caller by the rules`, async (t) => {
      for (const [who, outcome] of Object.entries(outcomes) as [keyof Cast, string][]) {
        const cast = await castGroup(world)
        const call = world.call(name, cast[who], { groupId: cast.groupId, ...input(cast) } as never)
        t.equal(await outcomeOf(call), outcome, who)
      }
    })
  }

  t.test('everything about a group that is deleted or never was is GROUP_NOT_FOUND, whoever asks', async (t) => {
    const cast = await castGroup(world)
    await world.call('group.deleteGroup', cast.owner, { groupId: cast.groupId })
    for (const groupId of [cast.groupId, '123', '00000']) {
      for (const [name, input] of cases) {
        const call = world.call(name, cast.owner, { groupId, ...input(cast) } as never)
        t.equal(await outcomeOf(call), 'GROUP_NOT_FOUND', name)
      }
      t.equal(await outcomeOf(world.call('group.membersOf', '', { groupId })), 'GROUP_NOT_FOUND')
      t.equal(await outcomeOf(world.call('group.memberOf', '', { groupId, userId: cast.owner })), 'GROUP_NOT_FOUND')
    }
  })

  t.test('every operation that acts for a user refuses a call without one, or with something else', async (t) => {
    const valid = {
      groupId: '1',
      groupName: '群',
      memberIds: ['1'],
      groupUserId: '1',
      memberId: '1',
      admin: true,
      showName: '',
    }
    const forServices = ['groupsOfUser', 'membersOf', 'memberOf', 'membershipsOf', 'versionsOf']
    const names = Object.keys(operations).filter((name) => /^group\./.test(name)) as OperationName[]
    for (const name of names.filter((name) => !forServices.includes(name.slice('group.'.length)))) {
      for (const user of ['', '0', 'abc', '{"$ne":""}', '01', '9007199254740993'])
        t.equal(await outcomeOf(world.call(name, user, valid as never)), 'BAD_REQUEST', `${name} as ${user}`)
    }
  })

  t.test('nothing but digits reaches a question to the database', async (t) => {
    const { owner, member } = await castGroup(world)
    for (const groupId of [{ $ne: '' }, { $gt: 0 }, ['1'], '1$', 'a.b', '', -1, 1.5, null, true]) {
      const call = world.call('group.queryGroupInfo', owner, { groupId } as never)
      t.equal(await outcomeOf(call), 'BAD_REQUEST', JSON.stringify(groupId))
    }
    for (const userId of [{ $ne: '' }, ['1'], '0', '1e3', '9007199254740993', null]) {
      t.equal(await outcomeOf(world.call('user.get', '', { userIds: [userId] } as never)), 'BAD_REQUEST')
      t.equal(await outcomeOf(world.call('user.revoke', '', { userId } as never)), 'BAD_REQUEST')
      t.equal(await outcomeOf(world.call('user.put', '', { users: [{ userId }] } as never)), 'BAD_REQUEST')
      t.equal(await outcomeOf(world.call('group.groupsOfUser', '', { userId } as never)), 'BAD_REQUEST')
    }
    const nickName = { $set: 1 }
    t.equal(
      await outcomeOf(world.call('user.put', '', { users: [{ userId: member, nickName }] } as never)),
      'BAD_REQUEST',
    )
  })

  t.test('texts, lists and names over their length are refused', async (t) => {
    const { groupId, owner } = await castGroup(world)
    const many = Array.from({ length: 501 }, (_, i) => i + 1)
    const tooLong: [OperationName, object][] = [
      ['group.createGroup', { groupName: '' }],
      ['group.createGroup', { groupName: 'x'.repeat(65) }],
      ['group.createGroup', { groupName: 'x', memberIds: many }],
      ['group.createGroup', { groupName: 'x', type: '3' }],
      ['group.updateGroup', { groupId, introduction: 'x'.repeat(501) }],
      ['group.updateGroup', { groupId, notice: 'x'.repeat(1001) }],
      ['group.updateGroup', { groupId, projectName: 'x'.repeat(65) }],
      ['group.updateGroupInfo', { groupId, groupHeadImage: 'x'.repeat(513) }],
      ['group.updateGroupInfo', { groupId, join: 'sometimes' }],
      ['group.userSetGroup', { groupId, showName: 'x'.repeat(33) }],
      ['group.addGroupMembers', { groupId, memberIds: many }],
      ['group.kickGroupMembers', { groupId, memberIds: many }],
      ['user.get', { userIds: many }],
      ['user.put', { users: many.map((userId) => ({ userId })) }],
    ]
    for (const [name, input] of tooLong)
      t.equal(await outcomeOf(world.call(name, owner, input as never)), 'BAD_REQUEST', name)
  })

  t.test('a group takes as many members as the setting says, and not one more', async (t) => {
    const { membersMax } = world
    const [owner = '', ...others] = newUsers(membersMax + 2)
    const full = others.slice(0, membersMax - 1)
    const tooMany = world.call('group.createGroup', owner, { groupName: '群', memberIds: others.slice(0, membersMax) })
    t.equal(await outcomeOf(tooMany), 'GROUP_FULL')

    const { groupId } = await world.call('group.createGroup', owner, { groupName: '群', memberIds: full.slice(0, -1) })
    const two = others.slice(-2)
    t.equal(await outcomeOf(world.call('group.addGroupMembers', owner, { groupId, memberIds: two })), 'GROUP_FULL')
    const before = await world.call('group.membersOf', '', { groupId })
    t.equal(before.members.length, membersMax - 1, 'nobody was added')
    await world.call('group.addGroupMembers', owner, { groupId, memberIds: [...full] })
    t.equal(await outcomeOf(world.call('group.joinGroup', two[0]!, { groupId })), 'GROUP_FULL')
    t.equal(await outcomeOf(world.call('group.joinGroup', owner, { groupId })), 'done', 'who is in is not in the way')
  })
}
