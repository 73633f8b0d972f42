import type { GroupFact } from '@qunxin/contracts'
import type { Test } from 'tap'
import { type Cast, castGroup, newUsers, outcomeOf, type World } from './world.ts'

/** What the group's owner is told before a call is answered, and the facts left for others. */
export function telling(t: Test, world: World): void {
  const last = (groupId: string) => world.told(groupId).at(-1)

  t.test('of a new group all first members are told, and one fact names them', async (t) => {
    const [owner = '', one = ''] = newUsers(2)
    const { groupId } = await world.call('group.createGroup', owner, { groupName: '群', memberIds: [owner, one] })
    t.same(world.told(groupId), [
      {
        groupId,
        version: 1,
        added: [owner, one],
        removed: [],
        deleted: false,
        notice: { reason: 'created', byUserId: owner, listChanged: [owner, one] },
      },
    ])
    t.match(await world.facts(groupId, 1), [
      { what: 'created', data: { groupId, byUserId: owner, userIds: [owner, one] } },
    ])
  })

  /** Each change: the call, the delta and notice told, and the facts. */
  const changes: {
    title: string
    run(cast: Cast): Promise<unknown>
    told(cast: Cast): object[]
    facts(cast: Cast): [GroupFact, object][]
  }[] = [
    {
      title: 'joining',
      run: ({ groupId, outsider }) => world.call('group.joinGroup', outsider, { groupId }),
      told: ({ outsider: it }) => [
        { version: 3, added: [it], notice: { reason: 'joined', byUserId: it, userIds: [it], listChanged: [it] } },
      ],
      facts: ({ outsider: it }) => [['memberAdded', { byUserId: it, userIds: [it] }]],
    },
    {
      title: 'adding',
      run: ({ groupId, member, owner, outsider }) =>
        world.call('group.addGroupMembers', member, { groupId, memberIds: [outsider, owner] }),
      told: ({ outsider: it, member }) => [
        { version: 3, added: [it], notice: { reason: 'added', byUserId: member, userIds: [it], listChanged: [it] } },
      ],
      facts: ({ outsider, member }) => [['memberAdded', { byUserId: member, userIds: [outsider] }]],
    },
    {
      title: 'leaving',
      run: ({ groupId, member }) => world.call('group.exitGroup', member, { groupId }),
      told: ({ member: it }) => [
        { version: 3, removed: [it], notice: { reason: 'left', byUserId: it, userIds: [it], listChanged: [it] } },
      ],
      facts: ({ member: it }) => [['memberRemoved', { byUserId: it, userIds: [it] }]],
    },
    {
      title: 'kicking a list',
      run: ({ groupId, owner, member, outsider }) =>
        world.call('group.kickGroupMembers', owner, { groupId, memberIds: [outsider, member, owner] }),
      told: ({ member: it, owner }) => [
        { version: 3, removed: [it], notice: { reason: 'kicked', byUserId: owner, userIds: [it], listChanged: [it] } },
      ],
      facts: ({ member, owner }) => [['memberRemoved', { byUserId: owner, userIds: [member] }]],
    },
    {
      title: 'kicking one',
      run: ({ groupId, admin, member }) => world.call('group.deleteUser', admin, { groupId, groupUserId: member }),
      told: ({ member: it, admin }) => [
        { version: 3, removed: [it], notice: { reason: 'kicked', byUserId: admin, userIds: [it], listChanged: [it] } },
      ],
      facts: ({ member, admin }) => [['memberRemoved', { byUserId: admin, userIds: [member] }]],
    },
    {
      title: 'changing texts',
      run: ({ groupId, admin }) => world.call('group.updateGroup', admin, { groupId, notice: '新公告' }),
      told: ({ admin }) => [{ version: 2, notice: { reason: 'updated', byUserId: admin, listChanged: [] } }],
      facts: ({ admin }) => [['updated', { byUserId: admin }]],
    },
    {
      title: 'making an admin',
      run: ({ groupId, owner, member }) =>
        world.call('group.setAdmin', owner, { groupId, memberId: member, admin: true }),
      told: ({ owner, member }) => [
        { version: 3, notice: { reason: 'adminChanged', byUserId: owner, userIds: [member], listChanged: [] } },
      ],
      facts: ({ owner, member }) => [['roleChanged', { byUserId: owner, userIds: [member] }]],
    },
    {
      title: 'a transfer with new texts',
      run: ({ groupId, owner, member }) =>
        world.call('group.updateGroupInfo', owner, { groupId, creator: member, groupName: '新' }),
      told: ({ owner, member }) => [
        {
          version: 3,
          notice: { reason: 'transferred', byUserId: owner, userIds: [member, owner], listChanged: [member, owner] },
        },
        { version: 3, notice: { reason: 'updated', byUserId: owner, listChanged: [] } },
      ],
      facts: ({ owner, member }) => [
        ['roleChanged', { byUserId: owner, userIds: [member, owner] }],
        ['updated', { byUserId: owner }],
      ],
    },
  ]
  for (const { title, run, told, facts } of changes) {
    t.test(`${title} tells the owner what changed and leaves a fact`, async (t) => {
      const cast = await castGroup(world)
      const { groupId } = cast
      const before = world.told(groupId).length
      await run(cast)
      const empty = { groupId, added: [], removed: [], deleted: false }
      t.same(
        world.told(groupId).slice(before),
        told(cast).map((change) => ({ ...empty, ...change })),
      )
      const expected = facts(cast)
      const left = (await world.facts(groupId, 2 + expected.length)).slice(2)
      t.match(
        left,
        expected.map(([what, data]) => ({ what, data: { groupId, at: Number, ...data } })),
      )
      t.equal(left.length, expected.length)
    })
  }

  t.test('a deletion tells every member and leaves a fact', async (t) => {
    const { groupId, owner, admin, member } = await castGroup(world)
    await world.call('group.deleteGroup', owner, { groupId })
    const told = last(groupId)
    t.match(told, { version: 3, deleted: true, notice: { reason: 'deleted', byUserId: owner } })
    t.same(new Set(told?.notice?.listChanged), new Set([owner, admin, member]))
    t.match((await world.facts(groupId, 3)).at(-1), { what: 'deleted', data: { byUserId: owner } })
    t.equal(await outcomeOf(world.call('group.deleteGroup', owner, { groupId })), 'GROUP_NOT_FOUND')
    t.match(last(groupId), { version: 3, deleted: true, notice: undefined }, 'a retry tells again')
  })

  t.test(
    'the owner is told again by a call that changes nothing: the first may have died before it told',
    async (t) => {
      const cast = await castGroup(world)
      const { groupId, owner, member } = cast
      const calls = {
        kick: () => world.call('group.kickGroupMembers', owner, { groupId, memberIds: [member] }),
        'kick one': () => world.call('group.deleteUser', owner, { groupId, groupUserId: member }),
        leave: () => world.call('group.exitGroup', member, { groupId }),
        add: () => world.call('group.addGroupMembers', owner, { groupId, memberIds: [owner] }),
        join: () => world.call('group.joinGroup', owner, { groupId }),
        'make admin': () => world.call('group.setAdmin', owner, { groupId, memberId: cast.admin, admin: true }),
        transfer: () => world.call('group.updateGroupInfo', owner, { groupId, creator: owner }),
      }
      await calls.kick()
      for (const [name, call] of Object.entries(calls)) {
        const before = world.told(groupId).length
        await outcomeOf(call())
        t.same(
          world.told(groupId).slice(before),
          [{ groupId, version: 3, added: [], removed: [], deleted: false }],
          name,
        )
      }
      t.equal((await world.facts(groupId, 3)).length, 3, 'no fact of what did not happen')
    },
  )

  t.test('a name in the group changes no version and is announced to nobody', async (t) => {
    const { groupId, admin, member } = await castGroup(world)
    await world.call('group.userSetGroup', admin, { groupId, showName: '新名', groupUserId: member })
    t.match(last(groupId), { version: 2, added: [], removed: [], notice: undefined })
    t.equal((await world.facts(groupId, 2)).length, 2)
  })
}
