import t from 'tap'
import { type Members, membersAt } from '../../src/membership/members.ts'
import { MembersInTime } from '../../src/receipts/members-in-time.ts'

const members = membersAt(1, new Set(['1']))

function setup(membersNow: (conversation: string) => Promise<Members | undefined>) {
  const known: { last: Members | undefined } = { last: undefined }
  return { known, inTime: new MembersInTime({ membersNow, lastMembers: () => known.last }) }
}

t.test('groups that are known do not wait for one that is not, which is there for who asks again', async (t) => {
  const alive = setInterval(() => {}, 1_000)
  t.teardown(() => clearInterval(alive))
  const slow = Promise.withResolvers<typeof members>()
  let asked = 0
  const { inTime } = setup(async (conversation) => {
    if (conversation !== 'g9') return members
    asked += 1
    return slow.promise
  })
  t.same([...(await inTime.of(['g1', 'g9', 'g2'])).keys()], ['g1', 'g2'])
  t.same([...(await inTime.of(['g9'])).keys()], [])
  t.equal(asked, 1, 'it is asked once')
  slow.resolve(members)
  t.same([...(await inTime.of(['g9'])).keys()], ['g9'])
})

t.test('what could not be found out is left out, and asked for again', async (t) => {
  const answers = [undefined, members]
  const { inTime } = setup(async () => answers.shift())
  t.same([...(await inTime.of(['g1'])).keys()], [])
  t.same([...(await inTime.of(['g1'])).keys()], ['g1'])
})

t.test('an answer is good once', async (t) => {
  let asked = 0
  const { inTime } = setup(async () => {
    asked += 1
    return members
  })
  await inTime.of(['g1'])
  await inTime.of(['g1'])
  t.equal(asked, 2)
})

t.test('whoever came since a late answer is in it', async (t) => {
  const alive = setInterval(() => {}, 1_000)
  t.teardown(() => clearInterval(alive))
  const late = Promise.withResolvers<Members>()
  const { inTime, known } = setup(() => late.promise)
  t.same([...(await inTime.of(['g1'])).keys()], [])
  late.resolve(members)
  known.last = membersAt(2, new Set(['1', '2']))
  t.equal((await inTime.of(['g1'])).get('g1'), known.last)
  known.last = membersAt(0, new Set())
  t.equal((await inTime.of(['g1'])).get('g1'), members)
})
