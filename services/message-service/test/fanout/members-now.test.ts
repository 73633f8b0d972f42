import t from 'tap'
import { membersNow } from '../../src/fanout/members-now.ts'
import { MembershipCache } from '../../src/membership/cache.ts'
import { groupsOf } from '../sample.ts'

t.test('members whose answer comes after the caches were dropped are asked for again', async (t) => {
  const source = groupsOf({ version: 1, members: ['1'] })
  const { membersOf } = source
  const asked = Promise.withResolvers<void>()
  const slow = Promise.withResolvers<void>()
  source.membersOf = async (group) => {
    asked.resolve()
    await slow.promise
    return membersOf(group)
  }
  const membership = new MembershipCache(source, { mostMembers: 100 })
  const members = membersNow(membership, '5')
  await asked.promise
  membership.dropAll()
  slow.resolve()
  t.same(await members, new Set(['1']))
})
