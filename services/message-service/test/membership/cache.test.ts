import { membershipChange } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import t from 'tap'
import { MembershipCache } from '../../src/membership/cache.ts'
import { groupsOf } from '../sample.ts'

const change = (version: number, fields: object = {}) => membershipChange.parse({ groupId: '5', version, ...fields })

function setup(members: string[]) {
  const state = { version: 1, members }
  const clock = { ms: 0 }
  const source = groupsOf(state)
  const cache = new MembershipCache(source, { mostMembers: 100, now: () => clock.ms })
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
