import { AppError } from '@qunxin/runtime'
import t from 'tap'
import { GroupsInTime } from '../../src/reads/groups-in-time.ts'

function setup() {
  const state = { now: 0, asked: 0, answer: async (): Promise<[]> => [] }
  const source = {
    groupsOf() {
      state.asked += 1
      return state.answer()
    },
    groupsOfUsers: (users: readonly string[]) => Promise.all(users.map(() => source.groupsOf())),
  }
  return { state, inTime: new GroupsInTime(source, () => state.now) }
}
const refuses = () => Promise.reject(new AppError('UNAVAILABLE'))

t.test('everybody is asked for while group-service answers', async (t) => {
  const { state, inTime } = setup()
  t.same(await Promise.all(['1', '2', '3'].map((user) => inTime.of(user))), [[], [], []])
  t.equal(state.asked, 3)
})

t.test('while it is away one question a second is asked, and nobody waits behind it', async (t) => {
  const { state, inTime } = setup()
  state.answer = refuses
  t.equal(await inTime.of('1'), undefined)
  t.equal(await inTime.of('2'), undefined)
  t.equal(state.asked, 1)
  state.now = 1_001
  const { promise, reject } = Promise.withResolvers<[]>()
  state.answer = () => promise
  const asking = inTime.of('3')
  t.equal(await inTime.of('4'), undefined, 'while the third is waited for')
  t.equal(state.asked, 2)
  reject(new AppError('TIMEOUT'))
  t.equal(await asking, undefined)
})

t.test('when it answers again everybody is asked for as before', async (t) => {
  const { state, inTime } = setup()
  state.answer = refuses
  await inTime.of('1')
  state.now = 1_001
  state.answer = async () => []
  t.same(await inTime.of('2'), [])
  t.same(await inTime.of('3'), [])
  t.equal(state.asked, 3)
})

t.test('who asks is kept waiting for a second or so, however long group-service says nothing', async (t) => {
  const { state, inTime } = setup()
  state.answer = () => new Promise(() => {})
  t.equal(await inTime.of('1'), undefined)
})
