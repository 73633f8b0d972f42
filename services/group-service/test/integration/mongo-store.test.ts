import t from 'tap'
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

t.test('the questions asked all the time are answered by an index', async (t) => {
  const plans = {
    'versions of groups': db.groups.find({ _id: { $in: ['1', '2'] } }, { projection: { membersVersion: 1 } }),
    'members of a group': db.members.find({ group: '1' }),
    'one member': db.members.find({ group: '1', user: '2' }),
    "a user's groups": db.members.find({ user: '1' }).sort({ joinedAt: 1 }),
    'oldest facts': db.outbox.find().sort({ at: 1, _id: 1 }).limit(500),
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
  await Promise.all([sweepDeletedGroups(db), sweepDeletedGroups(db)])
  t.equal(await db.members.countDocuments({ group: { $in: ['500', '501'] } }), 0)
  t.equal(await db.members.countDocuments({ group: '502' }), 1)
  t.equal(await db.groups.countDocuments({ unswept: true }), 0)
  t.equal(await db.groups.countDocuments({ _id: { $in: ['500', '501'] }, deleted: 5 }), 2)
})

t.test('what a creation was asked under is forgotten by the database after a day', async (t) => {
  const indexes = await db.requests.indexes()
  t.ok(indexes.some(({ expireAfterSeconds }) => expireAfterSeconds === 86_400))
})
