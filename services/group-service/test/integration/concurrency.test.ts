import { randomInt } from 'node:crypto'
import { eventsStreamName } from '@qunxin/bus'
import { type GroupFactData, type OperationName, operations, type UserId } from '@qunxin/contracts'
import t from 'tap'
import { startGroupService } from '../../src/service.ts'
import { newUsers, outcomeOf } from '../rules/world.ts'
import { logger, ownBus, ownConfig, ownDatabase, ownerTold, until } from './servers.ts'

const MEMBERS_MAX = 12
const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
t.comment(`TEST_SEED=${seed}`)

const config = ownConfig({ GROUP_MEMBERS_MAX: String(MEMBERS_MAX), OWNER_TIMEOUT_MS: '1000' })
const db = await ownDatabase(t, config)
const bus = await ownBus(t, config)
const told = await ownerTold(bus)
// Two processes share the calls: what keeps changes apart is the database, not a queue in one of them.
const services = await Promise.all([startGroupService(config, { logger }), startGroupService(config, { logger })])
t.teardown(() => Promise.all(services.map((service) => service.stop())))

const call = (name: OperationName, user: UserId, input: object) =>
  bus.request(operations[name], input as never, { user }) as Promise<Record<string, never>>
const newGroup = async (owner: UserId, memberIds: UserId[]) =>
  String((await call('group.createGroup', owner, { groupName: '群', memberIds })).groupId)

/** Mulberry32: the same seed makes the same calls. */
function random(state: number): (below: number) => number {
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

interface Stored {
  what: string
  data: GroupFactData
}

/** Everything in the stream, once the outbox is empty. */
async function storedFacts(): Promise<Stored[]> {
  await until('the outbox is empty', async () => (await db.outbox.countDocuments({ waiting: true })) === 0)
  const { streams } = await bus.jetstreamManager()
  const name = eventsStreamName(config.SUBJECT_PREFIX)
  const { state } = await streams.info(name)
  const facts: Stored[] = []
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await streams.getMessage(name, { seq })
    if (message) facts.push({ what: message.subject.split('.').at(-1) ?? '', data: message.json() })
  }
  return facts
}

/** Plays a group's facts from the first to the last. */
function replay(facts: readonly Stored[]): { members: Set<UserId>; most: number; faults: string[] } {
  const members = new Set<UserId>()
  const faults: string[] = []
  let most = 0
  let time = 0
  for (const { what, data } of facts) {
    if (data.at < time) faults.push(`${what} goes back in time`)
    time = data.at
    for (const user of data.userIds ?? []) {
      const isIn = members.has(user)
      const wasIn = what !== 'created' && what !== 'memberAdded'
      if (isIn !== wasIn) faults.push(`${what} of ${user}, who ${isIn ? 'was' : 'was not'} a member`)
      if (what === 'memberRemoved') members.delete(user)
      else members.add(user)
    }
    most = Math.max(most, members.size)
  }
  return { members, most, faults }
}

t.test('joins, kicks, transfers, leaving and deleting all at once leave no half state', async (t) => {
  const users = newUsers(16)
  const pick = random(seed)
  const one = () => users[pick(users.length)] ?? ''
  const owners = users.slice(0, 4)
  const groups = await Promise.all(owners.map((owner) => newGroup(owner, users.slice(0, 6))))

  const calls = Array.from(
    { length: 500 },
    (_, index): [OperationName, UserId, { groupId: string; [field: string]: unknown }] => {
      const groupId = groups[pick(groups.length)] ?? ''
      const kind = pick(12)
      if (index > 400 && kind === 0) return ['group.deleteGroup', one(), { groupId }]
      if (kind <= 3) return ['group.joinGroup', one(), { groupId }]
      if (kind <= 5) return ['group.addGroupMembers', one(), { groupId, memberIds: [one(), one(), one()] }]
      if (kind === 6) return ['group.kickGroupMembers', one(), { groupId, memberIds: [one(), one()] }]
      if (kind === 7) return ['group.deleteUser', one(), { groupId, groupUserId: one() }]
      if (kind === 8) return ['group.setAdmin', one(), { groupId, memberId: one(), admin: pick(2) === 0 }]
      if (kind === 9) return ['group.updateGroupInfo', one(), { groupId, creator: one(), groupName: `群${index}` }]
      return ['group.exitGroup', one(), { groupId }]
    },
  )
  /** Half of the callers were an admin a moment ago, or else most calls would only be refused. */
  const adminOr = async (user: UserId, groupId: string) => {
    const admins = await db.members.find({ group: groupId, role: { $ne: 'member' } }).toArray()
    return admins[pick(admins.length + 1)]?.user ?? user
  }
  const outcomes: Record<string, number> = {}
  const IN_FLIGHT = 40
  let next = 0
  const worker = async () => {
    for (let mine = next++; mine < calls.length; mine = next++) {
      const [name, anyone, input] = calls[mine]!
      const user = mine % 2 === 0 ? anyone : await adminOr(anyone, input.groupId)
      const outcome = `${name} ${await outcomeOf(call(name, user, input))}`
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  t.comment(outcomes)
  const unexpected = Object.keys(outcomes).filter((outcome) => /INTERNAL|UNAVAILABLE|TIMEOUT|BAD_REQUEST/.test(outcome))
  t.same(unexpected, [], 'contention is never the caller’s problem')

  const all = await storedFacts()
  for (const groupId of groups) {
    const doc = await db.groups.findOne({ _id: groupId })
    const facts = all.filter(({ data }) => data.groupId === groupId)
    const { members, most, faults } = replay(facts)
    t.same(faults, [], 'every fact follows from those before it')
    t.ok(most <= MEMBERS_MAX, `never more than ${MEMBERS_MAX} members, at most ${most}`)
    const changes = facts.filter(({ what }) => what !== 'updated')
    t.equal(doc?.membersVersion, changes.length, 'the version counts the changes, and each left a fact')
    const versions = told.filter((change) => change.groupId === groupId).map(({ version }) => version)
    t.equal(new Set(versions).size, doc?.membersVersion, 'the owner was told of every version')
    if (doc?.deleted !== undefined) continue

    const stored = await db.members.find({ group: groupId }).toArray()
    t.same(new Set(stored.map(({ user }) => user)), members, 'the facts lead to the members')
    t.equal(doc?.memberCount, stored.length)
    const owners = stored.filter(({ role }) => role === 'owner').map(({ user }) => user)
    t.same(owners, [doc?.creator], 'exactly one owner, who is a member')
  }
})

t.test(
  'a transfer and the new owner’s leaving at the same moment leave exactly one owner, who is a member',
  async (t) => {
    const seen = new Set<string>()
    for (let round = 0; round < 25; round++) {
      const [owner = '', heir = ''] = newUsers(2)
      const groupId = await newGroup(owner, [heir])
      const [transfer, leave] = await Promise.all([
        outcomeOf(call('group.updateGroupInfo', owner, { groupId, creator: heir })),
        outcomeOf(call('group.exitGroup', heir, { groupId })),
      ])
      seen.add(`${transfer}, ${leave}`)
      const members = await db.members.find({ group: groupId }).toArray()
      const owners = members.filter(({ role }) => role === 'owner').map(({ user }) => user)
      t.same(owners, [(await db.groups.findOne({ _id: groupId }))?.creator])
      t.same(owners, [transfer === 'done' ? heir : owner])
    }
    for (const outcome of seen) t.ok(['done, ADMIN_CANNOT_LEAVE', 'MEMBER_NOT_FOUND, done'].includes(outcome), outcome)
  },
)

t.test('becoming an admin and being kicked at the same moment is one after the other', async (t) => {
  for (let round = 0; round < 15; round++) {
    const [owner = '', member = ''] = newUsers(2)
    const groupId = await newGroup(owner, [member])
    const [made, kicked] = await Promise.all([
      outcomeOf(call('group.setAdmin', owner, { groupId, memberId: member, admin: true })),
      outcomeOf(call('group.deleteUser', owner, { groupId, groupUserId: member })),
    ])
    const stored = await db.members.findOne({ group: groupId, user: member })
    t.same(
      [made, kicked, stored?.role],
      made === 'done' ? ['done', 'CANNOT_KICK_ADMIN', 'admin'] : ['MEMBER_NOT_FOUND', 'done', undefined],
    )
  }
})

t.test('fifty who join one group at once all come in, or are told that it is full', async (t) => {
  const [owner = '', ...users] = newUsers(51)
  const groupId = await newGroup(owner, [])
  const outcomes = await Promise.all(users.map((user) => outcomeOf(call('group.joinGroup', user, { groupId }))))
  t.equal(outcomes.filter((outcome) => outcome === 'done').length, MEMBERS_MAX - 1)
  t.equal(outcomes.filter((outcome) => outcome === 'GROUP_FULL').length, 50 - (MEMBERS_MAX - 1))
  t.equal(await db.members.countDocuments({ group: groupId }), MEMBERS_MAX)
})

t.test('a creation sent again and again to both processes makes one group', async (t) => {
  for (let round = 0; round < 5; round++) {
    const [owner = ''] = newUsers(1)
    const input = { groupName: '群', memberIds: newUsers(5), taskId: `task-${round}` }
    const made = await Promise.all(Array.from({ length: 6 }, () => call('group.createGroup', owner, input)))
    t.equal(new Set(made.map(({ groupId }) => groupId)).size, 1)
    t.equal(await db.groups.countDocuments({ creator: owner }), 1)
  }
})
