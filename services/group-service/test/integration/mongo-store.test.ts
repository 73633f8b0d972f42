import t from 'tap'
import type { Member } from '../../src/domain/group.ts'
import { createClient, type MemberDoc } from '../../src/store/mongo/database.ts'
import { MongoGroupStore } from '../../src/store/mongo/mongo-group-store.ts'
import { MongoOutbox } from '../../src/store/mongo/mongo-outbox.ts'
import { MongoUserStore } from '../../src/store/mongo/mongo-user-store.ts'
import { sweepDeletedGroups } from '../../src/store/mongo/sweep-deleted.ts'
import { groupStoreContract } from '../store/group-store-contract.ts'
import { userStoreContract } from '../store/user-store-contract.ts'
import { ownConfig, ownDatabase } from './servers.ts'

const db = await ownDatabase(t, ownConfig())
const groups = new MongoGroupStore(db, { limitMs: 4_000 })

groupStoreContract(t, async () => ({ groups, outbox: new MongoOutbox(db) }))
userStoreContract(t, async () => new MongoUserStore(db))

const AT = 1_800_000_000_000
const plain = (userId: string): Member => ({ userId, role: 'member', showName: '', joinedAt: AT })
async function smallGroup(groupId: string): Promise<void> {
  const texts = { groupName: '群', projectName: '', type: '1', introduction: '', notice: '', groupHeadImage: '' }
  const counts = { createDate: AT, updateDate: AT, memberCount: 2, membersVersion: 1 }
  const owner: Member = { ...plain('1'), role: 'owner' }
  await groups.create({ groupId, creator: '1', ...texts, ...counts }, [owner, plain('2')], { facts: [] })
}

t.test('what another process changes while a decision is made is decided upon again', async (t) => {
  const other = new MongoGroupStore(db, { limitMs: 4_000 })
  const meanwhile = {
    '601': { added: [plain('3')] },
    '602': { roles: [{ userId: '2', role: 'admin' as const }] },
    '603': { removed: ['2'] },
    '604': { fields: { notice: '新公告' } },
    '605': { showName: { userId: '2', showName: '新名' } },
  }
  const rolesThen: Record<string, string | undefined> = { 601: 'member', 602: 'admin', 604: 'member', 605: 'member' }
  for (const [groupId, change] of Object.entries(meanwhile)) {
    for (const looksAtMembers of [true, false]) {
      const id = looksAtMembers ? groupId : `${groupId}0`
      await smallGroup(id)
      const seen: { version: number; role: string | undefined }[] = []
      const outcome = await groups.change(id, async (view) => {
        const role = looksAtMembers ? (await view.members(['2'])).get('2')?.role : undefined
        seen.push({ version: view.group.membersVersion, role })
        if (seen.length === 1) await other.change(id, async () => ({ delta: { at: AT, facts: [], ...change } }))
        return { delta: { at: AT, added: [plain('9')], facts: [] } }
      })
      const changesMembers = Number(groupId) <= 603
      t.equal(seen.length, 2, Object.keys(change).join())
      t.equal(seen[1]?.version, changesMembers ? 2 : 1)
      if (looksAtMembers) t.equal(seen[1]?.role, rolesThen[groupId])
      t.match(outcome, { kind: 'done', version: changesMembers ? 3 : 2 })
      const found = await groups.findMembers(id)
      t.equal(found?.group.memberCount, found?.members.length)
    }
  }
})

t.test('a group that another process deletes while a decision is made is gone', async (t) => {
  const other = new MongoGroupStore(db, { limitMs: 4_000 })
  await smallGroup('610')
  const outcome = await groups.change('610', async () => {
    await other.change('610', async () => ({ delta: { at: AT, deleted: true, facts: [] } }))
    return { delta: { at: AT, added: [plain('9')], facts: [] } }
  })
  t.same(outcome, { kind: 'gone', version: 2 })
  t.equal(await db.members.countDocuments({ group: '610', user: '9' }), 0)
})

t.test('a change that never gets through ends UNAVAILABLE', async (t) => {
  const impatient = new MongoGroupStore(db, { limitMs: 50 })
  const other = new MongoGroupStore(db, { limitMs: 4_000 })
  await smallGroup('620')
  const stubborn = impatient.change('620', async () => {
    await other.change('620', async ({ group }) => ({
      delta: { at: AT, fields: { notice: `${group.notice}.` }, facts: [] },
    }))
    return { delta: { at: AT, added: [plain('9')], facts: [] } }
  })
  await t.rejects(stubborn, { code: 'UNAVAILABLE' })
  t.equal(await db.members.countDocuments({ group: '620' }), 2)
})

t.test('the questions asked all the time are answered by an index', async (t) => {
  const plans = {
    'versions of groups': db.groups.find({ _id: { $in: ['1', '2'] } }, { projection: { membersVersion: 1 } }),
    'members of a group': db.members.find({ group: '1' }),
    'one member': db.members.find({ group: '1', user: '2' }),
    'when a user was a member before': db.intervals.find({ group: '1', user: '2' }),
    'when a user was in some groups before': db.intervals.find({ group: { $in: ['1', '3'] }, user: '2' }),
    "a user's groups": db.members.find({ user: '1' }).sort({ joinedAt: 1 }),
    'oldest facts': db.outbox.find({ waiting: true }).sort({ at: 1, _id: 1 }).limit(500),
    'groups to sweep': db.groups.find({ unswept: true }).limit(20),
  }
  for (const [name, cursor] of Object.entries(plans)) {
    const plan = JSON.stringify((await cursor.explain('queryPlanner')).queryPlanner.winningPlan)
    t.match(plan, /IXSCAN|IDHACK|EXPRESS/, name)
    t.notMatch(plan, /COLLSCAN|"SORT"/, name)
  }
  const ids = db.members.find({ group: { $in: ['1', '2'] } }, { projection: { _id: 0, group: 1, user: 1 } })
  t.notMatch(
    JSON.stringify((await ids.explain('queryPlanner')).queryPlanner.winningPlan),
    /FETCH/,
    'ids come from the index',
  )
})

t.test('the members of a deleted group are removed, those of others stay, and its id stays used', async (t) => {
  const member = (group: string, user: number) =>
    ({ group, user: String(user), role: 'member', showName: '', joinedAt: 1 }) as const
  const doc = { ...(await db.groups.findOne({}))!, deleted: 5, unswept: true as const }
  await db.groups.insertMany([
    { ...doc, _id: '500' },
    { ...doc, _id: '501' },
  ])
  await db.members.insertMany(Array.from({ length: 2_300 }, (_, i) => member('500', i + 1)))
  await db.members.insertMany([member('501', 1), member('502', 1)])
  const left = (group: string, user: number) => ({
    group,
    user: String(user),
    past: [{ afterTime: 1, toTime: 2, toVersion: 3 }],
  })
  await db.intervals.insertMany(Array.from({ length: 1_200 }, (_, i) => left('500', i + 1)))
  await db.intervals.insertOne(left('502', 1))
  await Promise.all([sweepDeletedGroups(db), sweepDeletedGroups(db)])
  t.equal(await db.members.countDocuments({ group: { $in: ['500', '501'] } }), 0)
  t.equal(await db.members.countDocuments({ group: '502' }), 1)
  t.same(await db.intervals.distinct('group', { group: { $in: ['500', '501', '502'] } }), ['502'])
  t.equal(await db.groups.countDocuments({ unswept: true }), 0)
  t.equal(await db.groups.countDocuments({ _id: { $in: ['500', '501'] }, deleted: 5 }), 2)
})

t.test('the memberships of a user in five hundred groups are a handful of commands', async (t) => {
  const { _id: _, ...doc } = (await db.groups.findOne({ deleted: { $exists: false } }))!
  const ids = Array.from({ length: 500 }, (_, i) => `7${String(i).padStart(5, '0')}`)
  await db.groups.insertMany(ids.map((_id, i) => ({ ...doc, _id, ...(i % 2 === 0 && { history: 'joined' as const }) })))
  const member = { user: '4711', role: 'member' as const, showName: '' }
  await db.members.insertMany(ids.map((group, i) => ({ group, ...member, joinedAt: AT + i, joinedSeq: i })))
  const interval = { afterTime: 1, afterSeq: 0, toTime: 2, toSeq: 3, toVersion: 4 }
  const past = Array.from({ length: 100 }, () => interval)
  await db.intervals.insertMany(ids.map((group) => ({ group, user: '4711', past })))
  const own = db.client.db(db.groups.dbName)
  await own.command({ profile: 2 })
  const memberships = await groups.membershipsOf('4711')
  await own.command({ profile: 0 })
  t.equal(memberships.length, 500)
  t.same(
    memberships.map(({ past }) => past.length),
    ids.map((_, i) => (i % 2 === 0 ? 100 : 0)),
  )
  const commands = await own
    .collection('system.profile')
    .find({ 'command.profile': { $exists: false } })
    .toArray()
  // Each of the three questions may come in several parts.
  t.ok(commands.length >= 3 && commands.length <= 15, `${commands.length} commands`)
  const examined = commands.reduce((sum, { docsExamined = 0 }) => sum + docsExamined, 0)
  t.ok(examined <= 500 + 500 + 250, `${examined} documents looked at`)
})

t.test('five hundred who are kicked at once each keep their time, in one change', async (t) => {
  await smallGroup('660')
  const change = (delta: object) => groups.change('660', async () => ({ delta: { at: AT + 5, facts: [], ...delta } }))
  const users = Array.from({ length: 500 }, (_, i) => String(10_000 + i))
  await change({ added: users.map(plain) })
  await groups.noteSeq('660', { version: 2, lastSeq: 7, added: users, removed: [] })
  await change({ removed: users })
  await groups.noteSeq('660', { version: 3, lastSeq: 9, added: [], removed: users })
  const kept = await db.intervals.find({ group: '660' }).toArray()
  t.equal(kept.length, 500)
  const expected = { afterTime: AT, afterSeq: 7, afterVersion: 2, toTime: AT + 5, toSeq: 9, toVersion: 3 }
  t.same(
    kept.map(({ past }) => past),
    kept.map(() => [expected]),
  )
})

t.test('a member from before seqs were kept leaves and comes back: times stand for what is not known', async (t) => {
  await smallGroup('630')
  await db.members.updateMany({ group: '630' }, { $unset: { joinedVersion: '', joinedSeq: '' } })
  t.match(await groups.findMembership('630', '2'), { member: { joinedAt: AT }, past: [] })
  const change = (delta: object) => groups.change('630', async () => ({ delta: { at: AT + 5, facts: [], ...delta } }))
  await change({ removed: ['2'] })
  await groups.noteSeq('630', { version: 2, lastSeq: 12, added: [], removed: ['2'] })
  await change({ added: [plain('2')] })
  const found = await groups.findMembership('630', '2')
  t.same(JSON.parse(JSON.stringify(found?.past)), [{ afterTime: AT, toTime: AT + 5, toSeq: 12 }])
  t.equal(found?.member.joinedSeq, undefined)
})

t.test('who leaves before it is stored where they joined takes that along, whatever comes first', async (t) => {
  for (let round = 0; round < 20; round++) {
    const groupId = `64${String(round).padStart(2, '0')}`
    await smallGroup(groupId)
    const change = (delta: object) =>
      groups.change(groupId, async () => ({ delta: { at: AT + 5, facts: [], ...delta } }))
    await change({ added: [plain('3')] })
    const join = { version: 2, lastSeq: 20, added: ['3'], removed: [] }
    await Promise.all([change({ removed: ['3'] }), groups.noteSeq(groupId, join)])
    const kept = await db.intervals.findOne({ group: groupId, user: '3' })
    t.match(kept?.past, [{ afterVersion: 2, afterSeq: 20, toVersion: 3 }])
  }
})

t.test('what cannot be stored of a seq is told, and the call goes on', async (t) => {
  const lost: string[] = []
  const client = createClient(ownConfig({ MONGO_URL: 'mongodb://127.0.0.1:1/', MONGO_TIMEOUT_MS: '100' }))
  t.teardown(() => client.close())
  const away = { ...db, members: client.db('x').collection<MemberDoc>('members') }
  const store = new MongoGroupStore(away, { limitMs: 100, onSeqLost: (groupId) => lost.push(groupId) })
  await store.noteSeq('650', { version: 2, lastSeq: 20, added: ['3'], removed: [] })
  t.same(lost, ['650'])
})

t.test('what a creation was asked under is forgotten by the database after a day', async (t) => {
  const indexes = await db.requests.indexes()
  t.ok(indexes.some(({ expireAfterSeconds }) => expireAfterSeconds === 86_400))
})
