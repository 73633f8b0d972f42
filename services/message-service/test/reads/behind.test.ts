import { AppError } from '@qunxin/runtime'
import t from 'tap'
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

async function say(ports: Ports, conversation: string, options: { from: string; to: string; messages: number }) {
  const { from, to, messages } = options
  await ports.conversations.begin(conversation, 5)
  await ports.log.append(
    Array.from({ length: messages }, (_, i) => message({ conversation, from, to, seq: i + 1, msgId: `${from}-${i}` })),
  )
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
  for (let peer = 10; peer < 2_011; peer++) await ports.conversations.begin(`p3-${peer}`, peer)
  t.ok((await found(ports)).includes('3'), 'in too many conversations')
  ports.state.answer = () => Promise.reject(new AppError('UNAVAILABLE'))
  t.same(await found(ports), USERS, 'group-service is away')
})
