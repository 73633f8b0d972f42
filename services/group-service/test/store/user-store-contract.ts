import { randomInt } from 'node:crypto'
import type { Test } from 'tap'
import type { UserStore } from '../../src/store/user-store.ts'

const newUser = () => String(randomInt(10 ** 13, 10 ** 14))

/** What every UserStore promises. */
export function userStoreContract(t: Test, open: () => Promise<UserStore>): void {
  t.test('a put sets the fields given and keeps the others', async (t) => {
    const users = await open()
    const [one, two] = [newUser(), newUser()]
    await users.put(new Map([[one, { nickName: '甲', sex: '1' }]]))
    await users.put(
      new Map([
        [one, { nickName: '乙', school: undefined }],
        [two, {}],
      ]),
    )
    t.same(
      await users.get([one, two, newUser()]),
      new Map([
        [one, { nickName: '乙', sex: '1' }],
        [two, {}],
      ]),
    )
    await users.put(new Map())
  })

  t.test('puts of the same new user at once all count', async (t) => {
    const users = await open()
    const user = newUser()
    const fields = ['nickName', 'sex', 'age', 'school', 'company', 'city'] as const
    await Promise.all(fields.map((field) => users.put(new Map([[user, { [field]: 'x' }]]))))
    t.same((await users.get([user])).get(user), Object.fromEntries(fields.map((field) => [field, 'x'])))
  })

  t.test('thousands of profiles are read at once', async (t) => {
    const users = await open()
    const all = Array.from({ length: 2_500 }, newUser)
    for (let at = 0; at < all.length; at += 500)
      await users.put(new Map(all.slice(at, at + 500).map((user) => [user, { nickName: user }])))
    const found = await users.get(all)
    t.ok(all.every((user) => found.get(user)?.nickName === user))
  })

  t.test('a revocation never goes back, and makes no profile', async (t) => {
    const users = await open()
    const user = newUser()
    t.equal(await users.setNotBefore(user, 2_000), 2_000)
    t.equal(await users.setNotBefore(user, 1_000), 2_000)
    t.equal(await users.setNotBefore(user, 3_000), 3_000)
    t.same(await users.notBeforeOf([newUser(), user]), new Map([[user, 3_000]]))
    t.same(await users.get([user]), new Map())
    await users.put(new Map([[user, { nickName: '甲' }]]))
    t.same(await users.notBeforeOf([user]), new Map([[user, 3_000]]))
    t.same((await users.get([user])).get(user), { nickName: '甲' })
  })
}
