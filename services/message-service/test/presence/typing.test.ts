import { TYPING_GROUP_MOST } from '@qunxin/contracts'
import t from 'tap'
import type { Job, Push } from '../../src/fanout/job.ts'
import { MembershipCache } from '../../src/membership/cache.ts'
import { Typing } from '../../src/presence/typing.ts'
import type { Preference } from '../../src/store/preferences.ts'
import { groupsOf } from '../sample.ts'

/** An owner's typing over a fan-out that a test can hold up. */
function setup({ members = ['1', '2', '3'], rows = [] as Preference[] } = {}) {
  const jobs: Job[] = []
  const source = groupsOf({ version: 1, members })
  let out = Promise.resolve()
  const typing = new Typing({
    fanout: { push: (job) => void (job.length > 0 && jobs.push(job)), out: () => out },
    membership: new MembershipCache(source, { mostMembers: 1_000 }),
    preferencesOf: async (conversation) => rows.filter((row) => row.conversation === conversation),
  })
  return {
    source,
    jobs,
    typing,
    pushes: () => jobs.flat().flatMap(({ push }) => push ?? []),
    hold() {
      const held = Promise.withResolvers<void>()
      out = held.promise
      return held
    },
  }
}
const taken = async () => {
  for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve))
}
const receivers = ({ to }: Push) => ('users' in to ? to.users : [])
const blocked = (user: string): Preference => ({ user, conversation: 'p1-2', version: 1, blocked: true, muted: false })

t.test('the other of a pair is told, under the name the conversation has for them', async (t) => {
  const { typing, pushes } = setup()
  typing.take({ user: '1', conversation: 'p1-2' })
  await taken()
  t.same(pushes(), [
    {
      tag: 'typing',
      data: { sessionId: '', peerUserId: 1, userId: 1 },
      to: { users: ['2'] },
      conversation: 'p1-2',
    },
  ])
})

t.test('nobody is told of a pair in which one blocks the other, nor by who is not of it', async (t) => {
  for (const user of ['1', '2']) {
    const { typing, pushes } = setup({ rows: [blocked('2')] })
    typing.take({ user, conversation: 'p1-2' })
    await taken()
    t.same(pushes(), [])
  }
  const { typing, pushes } = setup()
  for (const conversation of ['p1-2', 'p3-3']) typing.take({ user: '3', conversation })
  await taken()
  t.same(pushes(), [])
})

t.test('the other members of a group are told, unless it is large or one is no member', async (t) => {
  const { typing, pushes } = setup()
  typing.take({ user: '2', conversation: 'g5' })
  typing.take({ user: '9', conversation: 'g5' })
  await taken()
  t.same(
    pushes().map(({ data }) => data),
    [{ sessionId: '5', peerUserId: 0, userId: 2 }],
  )
  t.same(pushes().map(receivers), [['1', '3']])
  const users = Array.from({ length: TYPING_GROUP_MOST + 1 }, (_, i) => String(i + 1))
  for (const size of [TYPING_GROUP_MOST, TYPING_GROUP_MOST + 1]) {
    const group = setup({ members: users.slice(0, size) })
    group.typing.take({ user: '1', conversation: 'g5' })
    await taken()
    t.equal(group.pushes().length, size > TYPING_GROUP_MOST ? 0 : 1, `${size} members`)
  }
})

t.test(
  'while one share is on its way out the next gathers, each user once, and beyond a limit it is dropped',
  async (t) => {
    const { typing, jobs, hold } = setup()
    const held = hold()
    typing.take({ user: '1', conversation: 'p1-2' })
    await taken()
    for (let i = 0; i < 3; i++) typing.take({ user: '1', conversation: 'p1-2' })
    for (let other = 3; other < 2_000; other++) typing.take({ user: '1', conversation: `p1-${other}` })
    await taken()
    t.equal(jobs.length, 1)
    held.resolve()
    await taken()
    t.same(
      jobs.map(({ length }) => length),
      [1, 500],
    )
  },
)

t.test('who is asked about a group that cannot be read keeps nobody else waiting for long', async (t) => {
  const { typing, pushes, source } = setup()
  source.membersOf = () => new Promise(() => {})
  typing.take({ user: '1', conversation: 'g5' })
  typing.take({ user: '1', conversation: 'p1-2' })
  while (pushes().length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  t.same(
    pushes().map(({ conversation }) => conversation),
    ['p1-2'],
  )
})
