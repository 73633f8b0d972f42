import { randomInt } from 'node:crypto'
import { personalConversation } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import t from 'tap'
import { readBacklog } from '../../src/reads/backlog.ts'
import { readBehind } from '../../src/reads/behind.ts'
import { GroupsInTime } from '../../src/reads/groups-in-time.ts'
import { groupsOf, message } from '../sample.ts'
import { memoryStores } from '../sample-stores.ts'

type Joined = { groupId: string; joinedAt: number; joinedSeq?: number }

/** `groups` of each user; of those without an entry there is none. */
function setup(groups: Record<string, Joined[] | null> = {}) {
  const state = { answer: async (users: readonly string[]) => users.map((user) => groups[user] ?? null) }
  for (const user of ['1', '2', '3', '9']) groups[user] ??= []
  const source = {
    ...groupsOf({ version: 1, members: [] }),
    groupsOfUsers: (users: readonly string[]) => state.answer(users),
  }
  return { ...memoryStores(), groupsInTime: new GroupsInTime(source), state }
}
type Ports = ReturnType<typeof setup>

const USERS = ['1', '2', '3', '9']
const found = async (ports: Ports) => (await readBehind(ports, USERS)).behind
/** What of each user's backlog came along, and who is left to be read alone. */
async function brought(ports: Ports) {
  const { behind, backlogs = [] } = await readBehind(ports, USERS, true)
  const told = backlogs.map(([user, messages]) => [user, messages.map((one) => `${one.fromUserId}:${one.seq}`)])
  return { behind, backlogs: Object.fromEntries(told) }
}

async function say(ports: Ports, conversation: string, options: { from: string; to: string; messages: number }) {
  const { from, to, messages } = options
  await ports.conversations.begin([conversation], 5)
  await ports.log.append(
    Array.from({ length: messages }, (_, i) => message({ conversation, from, to, seq: i + 1, msgId: `${from}-${i}` })),
  )
}

/** From 0 up to a number, drawn from a seed (mulberry32). */
function drawing(seed: number): (most: number) => number {
  let state = seed
  return (most) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % (most + 1)
  }
}

t.test('nobody of those without conversations is behind', async (t) => {
  t.same(await found(setup()), [])
})

t.test('who has not had the newest of a conversation is behind, and nobody else', async (t) => {
  const ports = setup()
  await say(ports, 'p1-2', { from: '2', to: '1', messages: 3 })
  await say(ports, 'p3-9', { from: '9', to: '3', messages: 2 })
  await ports.cursors.advance([
    { user: '1', conversation: 'p1-2', deliveredSeq: 3 },
    { user: '2', conversation: 'p1-2', deliveredSeq: 3 },
    { user: '3', conversation: 'p3-9', deliveredSeq: 1 },
    { user: '9', conversation: 'p3-9', deliveredSeq: 2 },
  ])
  t.same(await found(ports), ['3'])
})

t.test('of a group what was sent before joining is no reason', async (t) => {
  const ports = setup({
    1: [{ groupId: '5', joinedAt: 1, joinedSeq: 2 }],
    2: [{ groupId: '5', joinedAt: 1, joinedSeq: 1 }],
    3: [{ groupId: '5', joinedAt: 1_002 }],
    9: [{ groupId: '5', joinedAt: 1_001 }],
  })
  await ports.log.append([1, 2].map((seq) => message({ group: '5', seq, from: '7', at: 1_000 + seq })))
  t.same(await found(ports), ['2', '9'])
  await ports.cursors.advance([
    { user: '2', conversation: 'g5', deliveredSeq: 2 },
    { user: '9', conversation: 'g5', deliveredSeq: 2 },
  ])
  t.same(await found(ports), [])
})

t.test('whoever cannot be told about at once is named, to be read alone', async (t) => {
  const ports = setup()
  ports.state.answer = async (users) => users.map((user) => (user === '2' ? null : []))
  t.same(await found(ports), ['2'], 'in too many groups for one answer')
  for (let peer = 10; peer < 2_011; peer++) await ports.conversations.begin([`p3-${peer}`], peer)
  t.ok((await found(ports)).includes('3'), 'in too many conversations')
  ports.state.answer = () => Promise.reject(new AppError('UNAVAILABLE'))
  t.same(await found(ports), USERS, 'group-service is away')
})

t.test('who has missed little is brought it along, oldest first, and is not to be read alone', async (t) => {
  const ports = setup({
    1: [{ groupId: '5', joinedAt: 1, joinedSeq: 1 }],
    2: [{ groupId: '5', joinedAt: 1, joinedSeq: 2 }],
  })
  await say(ports, 'p1-2', { from: '2', to: '1', messages: 3 })
  await say(ports, 'p1-3', { from: '3', to: '1', messages: 1 })
  await ports.log.append([1, 2].map((seq) => message({ group: '5', seq, from: '7', at: 500 + seq })))
  await ports.cursors.advance([{ user: '1', conversation: 'p1-2', deliveredSeq: 1 }])
  t.same(await brought(ports), { behind: [], backlogs: { 1: ['7:2', '3:1', '2:2', '2:3'], 2: [], 3: [] } })
})

t.test('who has missed much, or a change in a group, is to be read alone', async (t) => {
  const ports = setup({
    1: [{ groupId: '5', joinedAt: 1, joinedSeq: 0 }],
    9: [{ groupId: '6', joinedAt: 1_000 }],
  })
  await ports.log.append([
    message({ group: '5', seq: 1, from: '7' }),
    message({ group: '5', seq: 2, from: '7', change: { kind: 'recall', seq: 1, msgId: 'm1' } }),
    message({ group: '6', seq: 1, from: '7' }),
  ])
  await say(ports, 'p2-7', { from: '7', to: '2', messages: 101 })
  await say(ports, 'p3-7', { from: '7', to: '3', messages: 100 })
  const { behind, backlogs } = await brought(ports)
  t.same(behind, ['1', '2', '9'])
  t.same(Object.keys(backlogs), ['3'])
})

t.test('so many fit into one answer', async (t) => {
  const ports = setup()
  const users = Array.from({ length: 30 }, (_, i) => String(100 + i))
  ports.state.answer = async (asked) => asked.map(() => [])
  for (const user of users) await say(ports, `p7-${user}`, { from: '7', to: user, messages: 90 })
  const { behind, backlogs = [] } = await readBehind(ports, users, true)
  t.same([behind.length, backlogs.length], [8, 22])
  t.same(new Set([...behind, ...backlogs.map(([user]) => user)]), new Set(users))
})

t.test('so much text fits into one answer', async (t) => {
  const ports = setup()
  for (const [to, length] of [
    ['2', 1_500_000],
    ['3', 1_000_000],
    ['9', 500_000],
  ] as const) {
    const conversation = personalConversation('1', to)
    await ports.conversations.begin([conversation], 5)
    await ports.log.append([message({ conversation, from: '1', to, text: 'x'.repeat(length) })])
  }
  const { behind, backlogs } = await brought(ports)
  t.same(behind, ['3'])
  t.same(backlogs, { 1: [], 2: ['1:1'], 9: ['1:1'] })
})

t.test('what comes along is what each would read alone', async (t) => {
  const seed = randomInt(2 ** 31)
  t.comment(`seed ${seed}`)
  const upTo = drawing(seed)
  for (let round = 0; round < 100; round++) {
    const groups: Record<string, Joined[]> = {}
    for (const user of USERS)
      if (upTo(1)) groups[user] = [{ groupId: '5', joinedAt: 1, ...(upTo(3) && { joinedSeq: upTo(6) }) }]
    const ports = setup(groups)
    for (const [one, other] of [
      ['1', '2'],
      ['1', '3'],
      ['2', '9'],
    ] as const) {
      await ports.conversations.begin([`p${one}-${other}`], 1)
      await ports.log.append(
        Array.from({ length: upTo(6) }, (_, i) => {
          const [from, to] = upTo(1) ? [one, other] : [other, one]
          return message({
            conversation: `p${one}-${other}`,
            from,
            to,
            seq: i + 1,
            at: 40 * i + 4 * upTo(9) + (Number(other) % 4),
          })
        }),
      )
    }
    await ports.log.append(
      Array.from({ length: upTo(6) }, (_, i) => message({ group: '5', from: upTo(1) ? '7' : '1', seq: i + 1 })),
    )
    for (const user of USERS)
      for (const conversation of ['p1-2', 'p1-3', 'p2-9', 'g5'])
        if (upTo(1)) await ports.cursors.advance([{ user, conversation, deliveredSeq: upTo(6) }])
    const { behind, backlogs = [] } = await readBehind(ports, USERS, true)
    const alone = { ...ports, membership: { groupsOf: async () => [] } as never }
    for (const user of USERS) {
      if (behind.includes(user)) continue
      const own = { ...alone, groupsInTime: { of: async () => groups[user] ?? [] } }
      const { messages } = await readBacklog(own, user, 'optional')
      t.same(new Map(backlogs).get(user) ?? [], messages, `user ${user} in round ${round}`)
    }
  }
})
