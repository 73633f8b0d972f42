import { randomInt } from 'node:crypto'
import type { GroupId, UserId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import type { Test } from 'tap'
import type { Group, Member } from '../../src/domain/group.ts'
import type { GroupDelta, GroupStore, GroupView } from '../../src/store/group-store.ts'
import type { Outbox } from '../../src/store/outbox.ts'

export interface GroupStores {
  groups: GroupStore
  outbox: Outbox
}

const AT = 1_800_000_000_000
const newId = () => String(randomInt(10 ** 13, 10 ** 14))
const plain = (userId: UserId, joinedAt = AT): Member => ({ userId, role: 'member', showName: '', joinedAt })

function newGroup(members: readonly UserId[], createDate = AT): Group {
  return {
    groupId: newId(),
    groupName: '群',
    projectName: '',
    type: '1',
    introduction: '',
    notice: '',
    groupHeadImage: '',
    creator: members[0] ?? '',
    createDate,
    updateDate: createDate,
    memberCount: members.length,
    membersVersion: 1,
  }
}

/** What every GroupStore promises, and the outbox that goes with it. */
export function groupStoreContract(t: Test, open: () => Promise<GroupStores>): void {
  const made = async (users: readonly UserId[], createDate = AT) => {
    const stores = await open()
    const group = newGroup(users, createDate)
    const members = users.map((user, index) => ({
      ...plain(user, createDate),
      ...(index === 0 && { role: 'owner' as const }),
    }))
    const outcome = await stores.groups.create(group, members, {
      facts: [{ what: 'created', byUserId: group.creator, userIds: users }],
    })
    return { ...stores, group, members, outcome, groupId: group.groupId }
  }
  const apply = (groups: GroupStore, groupId: GroupId, delta: Partial<GroupDelta>) =>
    groups.change(groupId, async () => ({ delta: { at: AT + 1, facts: [], ...delta } }))
  const factsOf = async (outbox: Outbox, groupId: GroupId) =>
    (await outbox.oldest(10_000)).filter(({ data }) => data.groupId === groupId)

  t.test('a new group is found with its members, and its fact is in the outbox', async (t) => {
    const { groups, outbox, group, members, outcome, groupId } = await made(['1', '2'])
    t.same(outcome, { kind: 'created' })
    t.same(await groups.findMember(groupId, '2'), { group, member: members[1] })
    t.same(await groups.findMember(groupId, '3'), { group })
    const found = await groups.findMembers(groupId)
    t.same(found?.group, group)
    t.same(new Set(found?.members), new Set(members))
    t.match(await factsOf(outbox, groupId), [
      { what: 'created', data: { at: AT, groupId, byUserId: '1', userIds: ['1', '2'] } },
    ])
  })

  t.test('an id that was used before is taken, also by a deleted group', async (t) => {
    const { groups, group, members, groupId } = await made(['1'])
    t.same(await groups.create(group, members, { facts: [] }), { kind: 'taken' })
    await apply(groups, groupId, { deleted: true })
    t.same(await groups.create(group, members, { facts: [] }), { kind: 'taken' })
  })

  t.test(
    'a repeated request finds the group of the first while it counts, one by another creator does not',
    async (t) => {
      const { groups } = await open()
      const request = { creator: newId(), taskId: 'a:b', validMs: 1_000 }
      const first = newGroup([request.creator])
      const create = (group: Group, asked = request) =>
        groups.create(group, [plain('1')], { facts: [], request: asked })
      t.same(await create(first), { kind: 'created' })
      t.same(await create(newGroup(['1'], AT + 999)), { kind: 'repeated', groupId: first.groupId })
      t.same(await create(newGroup(['1']), { ...request, creator: newId() }), { kind: 'created' })
      const second = newGroup(['1'], AT + 1_001)
      t.same(await create(second), { kind: 'created' })
      t.same(await create(newGroup(['1'], AT + 1_002)), { kind: 'repeated', groupId: second.groupId })
    },
  )

  t.test('the same request many times at once makes one group', async (t) => {
    const { groups } = await open()
    const request = { creator: newId(), taskId: 'x', validMs: 1_000 }
    const all = Array.from({ length: 8 }, () => newGroup([request.creator]))
    const outcomes = await Promise.all(all.map((group) => groups.create(group, [plain('1')], { facts: [], request })))
    const created = all.filter((_, index) => outcomes[index]?.kind === 'created')
    t.equal(created.length, 1)
    const others = outcomes.filter(({ kind }) => kind !== 'created')
    t.same(new Set(others.map((outcome) => JSON.stringify(outcome))).size, 1)
    t.match(others[0], { kind: 'repeated', groupId: created[0]?.groupId })
  })

  t.test('a change of members counts them and raises the version by one', async (t) => {
    const { groups, groupId } = await made(['1', '2', '3'])
    const outcome = await apply(groups, groupId, { added: [plain('4', AT + 1)], removed: ['2', '3'] })
    t.match(outcome, { kind: 'done', version: 2 })
    const found = await groups.findMembers(groupId)
    t.match(found?.group, { memberCount: 2, membersVersion: 2, updateDate: AT + 1 })
    t.same(found?.members.map(({ userId }) => userId).sort(), ['1', '4'])
    t.same(await groups.versionsOf([groupId, '7', groupId]), [2, 0, 2])
  })

  t.test('a change of roles raises the version, one of texts only the time, one of names neither', async (t) => {
    const { groups, groupId } = await made(['1', '2'])
    const roles = [
      { userId: '2', role: 'owner' as const },
      { userId: '1', role: 'member' as const },
    ]
    t.match(await apply(groups, groupId, { creator: '2', roles }), { version: 2 })
    t.match(await apply(groups, groupId, { fields: { notice: '公告', join: 'closed' }, at: AT + 5 }), { version: 2 })
    t.match(await apply(groups, groupId, { showName: { userId: '1', showName: '甲' }, at: AT + 9 }), { version: 2 })
    t.match(await groups.findMember(groupId, '1'), {
      group: { creator: '2', notice: '公告', join: 'closed', updateDate: AT + 5 },
      member: { role: 'member', showName: '甲', joinedAt: AT },
    })
    t.match(await groups.findMember(groupId, '2'), { member: { role: 'owner' } })
  })

  t.test('a change of the slow mode or the history raises the version, as owners of partitions go by it', async (t) => {
    const { groups, groupId } = await made(['1', '2'])
    t.match(await apply(groups, groupId, { fields: { slowModeMs: 30_000 } }), { version: 2 })
    t.match((await groups.findMembers(groupId))?.group, { slowModeMs: 30_000, membersVersion: 2 })
    t.match(await apply(groups, groupId, { fields: { slowModeMs: 0 } }), { version: 3 })
    t.match((await groups.findMembers(groupId))?.group, { slowModeMs: 0 })
    t.match(await apply(groups, groupId, { fields: { history: 'joined' } }), { version: 4 })
    t.match((await groups.findMembers(groupId))?.group, { history: 'joined', membersVersion: 4 })
    t.same(await groups.versionsOf([groupId]), [4])
  })

  t.test('a decision without a delta writes nothing, and one that throws leaves everything as it was', async (t) => {
    const { groups, outbox, groupId } = await made(['1'])
    t.same(await groups.change<{ result: number; delta?: GroupDelta }>(groupId, async () => ({ result: 5 })), {
      kind: 'done',
      decision: { result: 5 },
      version: 1,
    })
    const refusal = new AppError('NOT_ALLOWED')
    await t.rejects(
      groups.change(groupId, async () => {
        throw refusal
      }),
      refusal,
    )
    t.match(await groups.findMembers(groupId), { group: { membersVersion: 1, updateDate: AT } })
    t.equal((await factsOf(outbox, groupId)).length, 1)
  })

  t.test('a decision sees the group, the members it asks for and the ids of all', async (t) => {
    const { groups, group, members, groupId } = await made(['1', '2'])
    await groups.change(groupId, async (view: GroupView) => {
      t.same(view.group, group)
      t.same(await view.members(['2', '9', '2']), new Map([['2', members[1]]]))
      t.same(await view.members([]), new Map())
      t.same((await view.allMemberIds()).sort(), ['1', '2'])
      return {}
    })
  })

  t.test('a deleted group is gone for changes, with its last version, and for every read', async (t) => {
    const { groups, groupId } = await made(['77', '78'])
    t.match(await apply(groups, groupId, { deleted: true }), { kind: 'done', version: 2 })
    t.same(await apply(groups, groupId, { removed: ['78'] }), { kind: 'gone', version: 2 })
    t.same(await apply(groups, newId(), {}), { kind: 'gone' })
    t.equal(await groups.findMember(groupId, '77'), undefined)
    t.equal(await groups.findMembers(groupId), undefined)
    t.same((await groups.memberIdsOf([groupId])).get(groupId), [])
    t.same(await groups.versionsOf([groupId]), [0])
    t.notOk((await groups.groupsOf('77')).some(({ group }) => group.groupId === groupId))
  })

  t.test("a user's groups come oldest membership first", async (t) => {
    const { groups } = await open()
    const user = newId()
    const joined = [AT + 30, AT + 10, AT + 20, AT + 10]
    const all = joined.map((createDate) => newGroup([user], createDate))
    for (const [index, group] of all.entries()) await groups.create(group, [plain(user, joined[index])], { facts: [] })
    const listed = await groups.groupsOf(user)
    t.same(
      listed.map(({ joinedAt }) => joinedAt),
      [AT + 10, AT + 10, AT + 20, AT + 30],
    )
    t.same(new Set(listed.map(({ group }) => group)), new Set(all))
    const members = await groups.memberIdsOf(all.map(({ groupId }) => groupId))
    t.same([...members.values()], [[user], [user], [user], [user]])
  })

  t.test('when each of many users joined which groups comes together, of each all or none', async (t) => {
    const { groups } = await open()
    const [one = '', two = '', stranger = ''] = [newId(), newId(), newId()].sort()
    const first = newGroup([one, two], AT)
    const second = newGroup([one], AT + 10)
    const members = [one, two].map((user) => ({ ...plain(user, AT), joinedSeq: 0 }))
    await groups.create(first, members, { facts: [] })
    await groups.create(second, [plain(one, AT + 10)], { facts: [] })
    const joined = await groups.joinedBy([stranger, two, one], 3)
    t.same(
      new Set(joined.get(one)),
      new Set([
        { groupId: first.groupId, joinedAt: AT, joinedSeq: 0 },
        { groupId: second.groupId, joinedAt: AT + 10 },
      ]),
    )
    t.same(joined.get(two), [{ groupId: first.groupId, joinedAt: AT, joinedSeq: 0 }])
    t.same(joined.get(stranger), [])
    const some = await groups.joinedBy([one, two], 2)
    t.equal(some.get(one)?.length, 2)
    t.notOk(some.has(two), 'with one more than there is room for')
  })

  t.test('the seq of a change goes to who joined or left by it, once, and to nobody else', async (t) => {
    const { groups, groupId } = await made(['1', '2', '3'])
    const note = (version: number, lastSeq: number, change: { added?: UserId[]; removed?: UserId[] }) =>
      groups.noteSeq(groupId, { version, lastSeq, added: [], removed: [], ...change })
    await apply(groups, groupId, { removed: ['2', '3'], at: AT + 2 })
    await apply(groups, groupId, { added: [plain('2', AT + 3)], at: AT + 3 })
    await apply(groups, groupId, { removed: ['2'], at: AT + 4 })
    await apply(groups, groupId, { added: [plain('2', AT + 4)], at: AT + 4 })
    // The confirmations come in whatever order, and late.
    await note(5, 50, { added: ['2'] })
    await note(3, 30, { added: ['2'] })
    await note(4, 40, { removed: ['2'] })
    await note(5, 99, { added: ['2', '3'] })
    await note(4, 99, { removed: ['2'] })
    await note(9, 99, { added: ['2'], removed: ['2'] })
    const found = await groups.findMembership(groupId, '2')
    t.match(found, { group: { groupId }, member: { joinedAt: AT + 4, joinedSeq: 50 } })
    t.match(found?.past, [
      { afterTime: AT, toTime: AT + 2, toSeq: undefined },
      { afterTime: AT + 3, afterSeq: 30, toTime: AT + 4, toSeq: 40 },
    ])
    t.equal(found?.past.length, 2)
    t.equal(await groups.findMembership(groupId, '3'), undefined)
    t.match(await groups.findMembership(groupId, '1'), { member: { userId: '1' }, past: [] })
    await note(2, 20, { removed: ['2', '3'] })
    t.equal((await groups.findMembership(groupId, '2'))?.past[0]?.toSeq, 20)
    await groups.noteSeq(newId(), { version: 1, lastSeq: 1, added: ['1'], removed: ['2'] })
  })

  t.test('the newest hundred times are kept of who comes and goes all the time', async (t) => {
    const { groups, groupId } = await made(['1', '2'])
    for (let at = AT + 1; at <= AT + 103; at++) {
      await apply(groups, groupId, { removed: ['2'], at })
      await apply(groups, groupId, { added: [plain('2', at)], at })
    }
    const { past = [] } = (await groups.findMembership(groupId, '2')) ?? {}
    t.equal(past.length, 100)
    t.match([past[0], past.at(-1)], [{ afterTime: AT + 3 }, { toTime: AT + 103 }])
  })

  t.test('all memberships of a user tell earlier times only where these decide what may be read', async (t) => {
    const { groups } = await open()
    const user = newId()
    const kinds = [undefined, 'joined', 'all', 'joined'] as const
    for (const [index, history] of kinds.entries()) {
      const group = { ...newGroup(['1', user], AT + index), ...(history && { history }) }
      await groups.create(group, [plain('1'), plain(user, AT + index)], { facts: [] })
      if (index === 3) continue
      await apply(groups, group.groupId, { removed: [user], at: AT + 10 })
      await apply(groups, group.groupId, { added: [plain(user, AT + 20 + index)], at: AT + 20 })
    }
    const memberships = await groups.membershipsOf(user)
    t.match(
      memberships.map(({ group, member, past }) => [member.joinedAt, group.history, past]),
      [
        [AT + 3, 'joined', []],
        [AT + 20, undefined, []],
        [AT + 21, 'joined', [{ afterTime: AT + 1, toTime: AT + 10 }]],
        [AT + 22, 'all', []],
      ],
    )
    await apply(groups, memberships[0]!.group.groupId, { deleted: true })
    t.equal((await groups.membershipsOf(user)).length, 3)
  })

  t.test('changes of one group at once are one after the other: each sees what the last one left', async (t) => {
    const { groups, outbox, groupId } = await made(['1'])
    const join = (user: UserId) =>
      groups.change(groupId, async ({ group }) => ({
        seen: group.memberCount,
        delta: {
          at: AT + 1,
          added: [plain(user)],
          facts: [{ what: 'memberAdded' as const, byUserId: user, userIds: [user] }],
        },
      }))
    const users = Array.from({ length: 20 }, (_, i) => String(100 + i))
    const outcomes = await Promise.all(users.map(join))
    const seen = outcomes.map((outcome) => (outcome.kind === 'done' ? outcome.decision.seen : 0))
    t.same(
      seen.toSorted((a, b) => a - b),
      users.map((_, i) => i + 1),
    )
    t.match((await groups.findMembers(groupId))?.group, { memberCount: 21, membersVersion: 21 })
    const order = (await factsOf(outbox, groupId)).slice(1).map(({ data }) => data.byUserId)
    const bySeen = users.toSorted((a, b) => (seen[users.indexOf(a)] ?? 0) - (seen[users.indexOf(b)] ?? 0))
    t.same(order, bySeen, 'facts of one millisecond are in the order of the changes')
  })

  t.test('a fact waits in the outbox until it is published, and has an id of its own', async (t) => {
    const { groups, outbox, groupId } = await made(['1'])
    const facts = [
      { what: 'roleChanged' as const, byUserId: '1', userIds: ['1'] },
      { what: 'updated' as const, byUserId: '1' },
    ]
    await apply(groups, groupId, { fields: { notice: '新' }, facts })
    const left = await factsOf(outbox, groupId)
    t.same(
      left.map(({ what }) => what),
      ['created', 'roleChanged', 'updated'],
    )
    t.equal(new Set(left.map(({ id }) => id)).size, 3)
    t.same(left[2]?.data, { at: AT + 1, groupId, byUserId: '1' })
    await outbox.published(left.slice(0, 2).map(({ id }) => id))
    t.same(await factsOf(outbox, groupId), left.slice(2))
    await outbox.publishAgain(60_000)
    t.same(await factsOf(outbox, groupId), left)
  })
}
