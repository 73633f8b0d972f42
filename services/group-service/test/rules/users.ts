import { profileFieldNames } from '@qunxin/contracts'
import type { Test } from 'tap'
import { newUsers, type World } from './world.ts'

const unknown = Object.fromEntries(profileFieldNames.map((name) => [name, '']))

/** Profiles and revocations. */
export function users(t: Test, world: World): void {
  t.test('a profile keeps the fields a later put leaves out', async (t) => {
    const [user = ''] = newUsers(1)
    await world.call('user.put', '', { users: [{ userId: user, nickName: '甲', sex: '1' }] })
    await world.call('user.put', '', { users: [{ userId: user, nickName: '乙', school: '' }] })
    t.same(await world.call('user.get', '', { userIds: [user] }), {
      users: [{ userId: user, ...unknown, nickName: '乙', sex: '1' }],
    })
  })

  t.test('of a user named twice in one put the later fields count', async (t) => {
    const [user = ''] = newUsers(1)
    const users = [
      { userId: user, nickName: '先', sex: '2' },
      { userId: Number(user), nickName: '后' },
    ]
    await world.call('user.put', '', { users })
    t.match(await world.call('user.get', '', { userIds: [user] }), { users: [{ nickName: '后', sex: '2' }] })
  })

  t.test('users are answered in the order asked, without those never put', async (t) => {
    const [one = '', two = '', three = ''] = newUsers(3)
    await world.call('user.put', '', { users: [{ userId: one }, { userId: two, nickName: '二' }] })
    await world.call('user.revoke', '', { userId: three })
    const { users } = await world.call('user.get', '', { userIds: [two, three, one, Number(two)] })
    t.same(
      users.map(({ userId }) => userId),
      [two, one],
    )
  })

  t.test('a revocation counts from now, is told to every gateway and never goes back', async (t) => {
    const [user = '', other = ''] = newUsers(2)
    const before = Date.now()
    const { notBefore } = await world.call('user.revoke', '', { userId: user })
    t.ok(notBefore >= before)
    t.equal(await world.revoked(user), notBefore)
    t.same(await world.call('user.notBeforeOf', '', { userIds: [other, user, Number(user)] }), {
      notBefore: [0, notBefore, notBefore],
    })
    t.ok((await world.call('user.revoke', '', { userId: user })).notBefore >= notBefore)
  })
}
