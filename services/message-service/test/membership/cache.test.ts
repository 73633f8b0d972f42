import { setTimeout as delay } from 'node:timers/promises'
import { membershipChange } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import t from 'tap'
import { type ChangeFeed, MembershipCache } from '../../src/membership/cache.ts'
import { groupsOf } from '../sample.ts'

const change = (version: number, fields: object = {}) => membershipChange.parse({ groupId: '5', version, ...fields })

function setup(members: string[], feed?: ChangeFeed) {
  const state = { version: 1, members }
  const clock = { ms: 0 }
  const source = groupsOf(state)
  const cache = new MembershipCache(source, { mostMembers: 100, now: () => clock.ms, ...(feed && { feed }) })
  return { state, clock, source, cache, users: () => [...(cache.fresh('5')?.users ?? [])] }
}

t.test('members count for 200 ms from the question on, then they are asked for again', async (t) => {
  const { state, clock, cache, users } = setup(['1', '2'])
  t.equal(cache.fresh('5'), undefined)
  await cache.load('5')
  t.same(users(), ['1', '2'])
  Object.assign(state, { version: 2, members: ['1'] })
  clock.ms = 200
  t.same(users(), ['1', '2'])
  clock.ms = 201
  t.equal(cache.fresh('5'), undefined)
  await cache.load('5')
  t.same(users(), ['1'])
})

t.test('an unchanged version is renewed without reading the members again', async (t) => {
  const { clock, cache, source, users } = setup(['1'])
  await cache.load('5')
  source.membersOf = async () => {
    throw new Error('not asked')
  }
  clock.ms = 1_000
  await cache.load('5')
  t.same(users(), ['1'])
})

t.test('a change is applied at once, and an older one changes nothing', async (t) => {
  const { cache, users } = setup(['1', '2'])
  await cache.load('5')
  cache.apply(change(2, { added: ['3'], removed: ['2'] }))
  t.same(users(), ['1', '3'])
  cache.apply(change(2, { added: ['4'] }))
  cache.apply(change(1, { removed: ['1'] }))
  t.same(users(), ['1', '3'])
})

t.test('a version behind a gap, and a new version without a delta, make the members be read again', async (t) => {
  const { state, cache, users } = setup(['1', '2'])
  await cache.load('5')
  Object.assign(state, { version: 3, members: ['2', '3'] })
  cache.apply(change(3, { added: ['3'] }))
  t.equal(cache.fresh('5'), undefined)
  await cache.load('5')
  t.same(users(), ['2', '3'])
  Object.assign(state, { version: 4, members: ['2'] })
  cache.apply(change(4))
  t.equal(cache.fresh('5'), undefined)
  await cache.load('5')
  t.same(users(), ['2'])
})

t.test('slow mode and roles come with the members, and stay over a change of members', async (t) => {
  const { state, source, cache } = setup(['1', '2'])
  const read = source.membersOf
  source.membersOf = async (group) => {
    const { members, version } = await read(group)
    const role = (userId: string) => (userId === '1' ? ('owner' as const) : ('member' as const))
    return { version, slowModeMs: 5_000, members: members.map(({ userId }) => ({ userId, role: role(userId) })) }
  }
  await cache.load('5')
  t.match(cache.fresh('5'), { slowModeMs: 5_000, admins: new Set(['1']) })
  cache.apply(change(2, { added: ['3'] }))
  t.match(cache.fresh('5'), { version: 2, slowModeMs: 5_000, admins: new Set(['1']) })
  t.equal(cache.fresh('5')?.admins.has('3'), false)
  state.version = 3
  source.membersOf = read
  cache.apply(change(3))
  t.equal(cache.fresh('5'), undefined, 'a change of roles or of slow mode makes both be read again')
  await cache.load('5')
  t.match(cache.fresh('5'), { slowModeMs: 0, admins: new Set() })
})

t.test('an answer read before a change that was told meanwhile is thrown away', async (t) => {
  const { state, source, cache, users } = setup(['1', '2'])
  const read = source.membersOf
  const stale = await read('5')
  Object.assign(state, { version: 2, members: ['1'] })
  let asked = 0
  source.membersOf = async (group) => {
    asked += 1
    if (asked > 1) return read(group)
    cache.apply(change(2, { removed: ['2'] }))
    return stale
  }
  await cache.load('5')
  t.equal(asked, 2)
  t.same(users(), ['1'])
})

t.test('a group-service that stays behind is asked again with pauses in between', async (t) => {
  const { state, source, cache, users } = setup(['1', '2'])
  cache.apply(change(2))
  let asked = 0
  const read = source.membersOf
  source.membersOf = (group) => {
    asked += 1
    return read(group)
  }
  const began = performance.now()
  const loaded = cache.load('5')
  await delay(100)
  t.ok(asked <= 3 + (performance.now() - began) / 10, `asked ${asked} times`)
  Object.assign(state, { version: 2, members: ['1'] })
  const alive = setInterval(() => {}, 1_000)
  await loaded
  clearInterval(alive)
  t.same(users(), ['1'])
})

t.test('groups in use are renewed together, those out of use are left alone', async (t) => {
  const { clock, cache, source } = setup(['1'])
  const asked: string[][] = []
  const read = source.versionsOf
  source.versionsOf = async (groups) => {
    asked.push([...groups])
    return read(groups)
  }
  for (const group of ['5', '6', '7']) await cache.load(group)
  clock.ms = 2_500
  await cache.load('6')
  await cache.load('7')
  asked.length = 0
  cache.start()
  t.teardown(() => cache.stop())
  t.same(asked, [['7', '6']])
})

t.test('while no group is in use nobody is asked; from a use on it is kept fresh', async (t) => {
  const alive = setInterval(() => {}, 60_000)
  t.teardown(() => clearInterval(alive))
  const { clock, cache, source } = setup(['1'])
  const asking = Promise.withResolvers<void>()
  let asked = 0
  const read = source.versionsOf
  source.versionsOf = async (groups) => {
    asked += 1
    asking.resolve()
    return read(groups)
  }
  await cache.load('5')
  clock.ms = 3_000
  cache.start()
  t.teardown(() => cache.stop())
  await delay(300)
  t.equal(asked, 0)
  cache.fresh('5')
  await asking.promise
})

t.test('an owner who hears keeps what it uses fresh by listening, and asks again once in a second', async (t) => {
  let listened = 0
  const feed = {
    since: () => 0,
    async caughtUp() {
      listened += 1
    },
  }
  const { clock, cache, source, users } = setup(['1'], feed)
  let asked = 0
  const read = source.versionsOf
  source.versionsOf = async (groups) => {
    asked += 1
    return read(groups)
  }
  t.teardown(() => cache.stop())
  await cache.load('5')
  const round = async (ms: number) => {
    clock.ms = ms
    cache.start()
    await new Promise((resolve) => setImmediate(resolve))
    cache.stop()
  }
  await round(0)
  asked = 0
  listened = 0
  for (const ms of [150, 300, 450, 600, 750, 900]) {
    await round(ms)
    t.same(users(), ['1'], `after ${ms} ms`)
  }
  t.equal(asked, 0)
  t.equal(listened, 6)
  await round(1_050)
  t.equal(asked, 1)
  t.ok(cache.hearsPromptly)
})

t.test('a group that is gone is left alone, too, when it is out of use', async (t) => {
  const { state, clock, cache, source } = setup(['1'])
  await cache.load('5')
  state.version = 0
  let asked = 0
  source.versionsOf = async (groups) => {
    asked += 1
    return groups.map(() => 0)
  }
  t.teardown(() => cache.stop())
  for (clock.ms = 1_000; clock.ms <= 5_000; clock.ms += 1_000) {
    cache.start()
    await new Promise((resolve) => setImmediate(resolve))
    cache.stop()
  }
  t.equal(asked, 3, 'for 2 s after it was found gone')
})

t.test('a deleted group has no members, and a version 0 says the same', async (t) => {
  const { state, clock, cache } = setup(['1'])
  await cache.load('5')
  cache.apply(change(2, { deleted: true }))
  t.equal(cache.fresh('5')?.gone, true)
  const other = setup(['1'])
  await other.cache.load('5')
  other.state.version = 0
  other.clock.ms = 1_000
  await other.cache.load('5')
  t.equal(other.cache.fresh('5')?.gone, true)
  t.equal(state.version, 1)
  t.equal(clock.ms, 0)
})

t.test('a group that is not found is gone; any other failure is passed on', async (t) => {
  const { source, cache } = setup(['1'])
  source.membersOf = async () => {
    throw new AppError('UNAVAILABLE')
  }
  await t.rejects(cache.load('5'), { code: 'UNAVAILABLE' })
  source.membersOf = async () => {
    throw new AppError('GROUP_NOT_FOUND')
  }
  await cache.load('5')
  t.equal(cache.fresh('5')?.gone, true)
})

/** group-service that takes its time to answer, after it has read. */
function slow({ source, clock }: ReturnType<typeof setup>, ms: number) {
  const { membersOf, versionsOf } = source
  source.membersOf = async (group) => {
    const answer = await membersOf(group)
    clock.ms += ms
    return answer
  }
  source.versionsOf = async (groups) => {
    const answer = await versionsOf(groups)
    clock.ms += ms
    return answer
  }
}

t.test(
  'an answer that took longer than 200 ms counts for nothing with who does not hear what owners are told',
  async (t) => {
    const world = setup(['1', '2'])
    slow(world, 300)
    await world.cache.load('5')
    t.equal(world.cache.fresh('5'), undefined)
    t.same([...(world.cache.last('5')?.users ?? [])], ['1', '2'], 'it was asked for after the call all the same')
  },
)

t.test('an owner who hears everything it is told goes by a slow answer, until it no longer hears', async (t) => {
  const world = setup(['1', '2'], { since: () => 0, caughtUp: async () => {} })
  const { cache, clock, users } = world
  slow(world, 1_000)
  await cache.load('5')
  t.same(users(), ['1', '2'])
  clock.ms += 200
  t.same(users(), ['1', '2'])
  clock.ms += 1
  t.equal(cache.fresh('5'), undefined)
})

t.test('a change that was told while a slow answer was under way is in force when it arrives', async (t) => {
  const world = setup(['1', '2'], { since: () => 0, caughtUp: async () => {} })
  const { cache, state, source, users } = world
  slow(world, 1_000)
  const { membersOf } = source
  source.membersOf = async (group) => {
    source.membersOf = membersOf
    const stale = await membersOf(group)
    Object.assign(state, { version: 2, members: ['1'] })
    cache.apply(change(2, { removed: ['2'] }))
    return stale
  }
  await cache.load('5')
  t.same(users(), ['1'])
})

t.test('an answer to a question put before it began to listen says nothing of what was told meanwhile', async (t) => {
  const since = { ms: 0 }
  const world = setup(['1', '2'], { since: () => since.ms, caughtUp: async () => {} })
  const { cache, source, users } = world
  slow(world, 300)
  const { membersOf } = source
  source.membersOf = async (group) => {
    since.ms = 100
    return membersOf(group)
  }
  await cache.load('5')
  t.equal(cache.fresh('5'), undefined)
  source.membersOf = membersOf
  await cache.load('5')
  t.same(users(), ['1', '2'])
})

t.test('what was heard before the cache was dropped counts no more: it may have been cut off', async (t) => {
  const heard = Promise.withResolvers<void>()
  const world = setup(['1'], { since: () => 0, caughtUp: () => heard.promise })
  const { cache, clock } = world
  slow(world, 300)
  const loading = cache.load('5')
  await new Promise((resolve) => setImmediate(resolve))
  cache.dropAll()
  heard.resolve()
  await loading
  clock.ms += 1
  t.equal(cache.fresh('5'), undefined)
})

t.test('an answer counts for 3 s at the most, however well its owner hears', async (t) => {
  const feed = { since: () => 0, caughtUp: async () => {} }
  const late = setup(['1'], feed)
  slow(late, 3_001)
  await late.cache.load('5')
  t.equal(late.cache.fresh('5'), undefined)
  const inTime = setup(['1'], feed)
  slow(inTime, 2_999)
  await inTime.cache.load('5')
  t.same(inTime.users(), ['1'])
})

t.test(
  'where a member joined is known from group-service, or from the change that added them, until they leave',
  async (t) => {
    const { state, source, cache } = setup(['1', '2'])
    const { membersOf } = source
    source.membersOf = async (group) => {
      const read = await membersOf(group)
      return {
        ...read,
        history: 'joined',
        members: read.members.map((member) => (member.userId === '2' ? { ...member, joinedSeq: 7 } : member)),
      }
    }
    await cache.load('5')
    const joined = () => [...(cache.last('5')?.joinedSeq ?? [])]
    const unplaced = () => [...(cache.last('5')?.unplaced ?? [])]
    t.same([joined(), unplaced()], [[['2', 7]], ['1']])
    cache.apply(change(2, { added: ['3'] }))
    t.same(unplaced(), ['1', '3'], 'who is just coming is nowhere yet')
    cache.joined('5', ['3', '9'], 12)
    t.same(joined(), [
      ['2', 7],
      ['3', 12],
    ])
    t.ok(cache.last('5')?.has('3'))
    cache.apply(change(3, { removed: ['2'] }))
    cache.apply(change(4, { added: ['2'] }))
    t.same(joined(), [['3', 12]], 'who came again came somewhere else')
    cache.joined('5', ['2'], 0)
    cache.joined('6', ['1'], 3)
    t.same([joined(), unplaced()], [[['3', 12]], ['1']])
    t.equal(cache.last('5')?.version, 4)
    t.equal(state.version, 1)
  },
)
