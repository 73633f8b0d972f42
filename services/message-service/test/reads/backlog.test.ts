import t from 'tap'
import { readBacklog } from '../../src/reads/backlog.ts'
import { MemoryConversations } from '../../src/store/memory-conversations.ts'
import { MemoryCursors } from '../../src/store/memory-cursors.ts'
import { MemoryLog } from '../../src/store/memory-log.ts'
import { groupsOf, message } from '../sample.ts'

function setup(memberships: { groupId: string; joinedAt: number }[] = []) {
  const membership = { ...groupsOf({ version: 1, members: [] }), groupsOf: async () => memberships }
  return { log: new MemoryLog(), cursors: new MemoryCursors(), conversations: new MemoryConversations(), membership }
}
type Ports = ReturnType<typeof setup>

/** So many messages to user 9, from `user`, a millisecond apart beginning at `at`. */
async function talk(ports: Ports, user: string, options: { messages: number; at: number }) {
  const conversation = `p${user}-9`
  await ports.conversations.begin(conversation, options.at)
  await ports.log.append(
    Array.from({ length: options.messages }, (_, i) =>
      message({ conversation, from: user, to: '9', seq: i + 1, at: options.at + i, msgId: `${user}-${i}` }),
    ),
  )
}
const told = async (ports: Ports) => (await readBacklog(ports, '9')).messages.map((one) => [one.fromUserId, one.seq])

t.test('what others sent after the cursor, in order', async (t) => {
  const ports = setup()
  await talk(ports, '1', { messages: 4, at: 100 })
  await talk(ports, '2', { messages: 2, at: 102 })
  await ports.log.append([message({ conversation: 'p1-9', from: '9', to: '1', seq: 5, at: 900 })])
  await ports.cursors.advance([{ user: '9', conversation: 'p1-9', deliveredSeq: 2 }])
  const messages = await told(ports)
  t.same(
    messages.filter(([from]) => from === 1),
    [
      [1, 3],
      [1, 4],
    ],
  )
  t.same(
    messages.filter(([from]) => from === 2),
    [
      [2, 1],
      [2, 2],
    ],
  )
})

t.test('at most 500, the newest of all conversations, however many there are', async (t) => {
  const ports = setup()
  for (let user = 10; user < 60; user++) await talk(ports, String(user), { messages: 20, at: user * 1_000 })
  const messages = await told(ports)
  t.equal(messages.length, 500)
  t.same(new Set(messages.map(([from]) => from)), new Set(Array.from({ length: 25 }, (_, i) => 35 + i)))
})

t.test('one long conversation gives its newest 500', async (t) => {
  const ports = setup()
  await talk(ports, '1', { messages: 700, at: 100 })
  const messages = await told(ports)
  t.same([messages[0], messages.at(-1), messages.length], [[1, 201], [1, 700], 500])
})

t.test('of a group without a cursor, what was sent after joining', async (t) => {
  const ports = setup([{ groupId: '5', joinedAt: 1_002 }])
  await ports.log.append([1, 2, 3, 4].map((seq) => message({ group: '5', seq })))
  t.same(await told(ports), [
    [1, 3],
    [1, 4],
  ])
  await ports.cursors.advance([{ user: '9', conversation: 'g5', deliveredSeq: 3 }])
  t.same(await told(ports), [[1, 4]])
})

t.test('rows without messages and conversations up to date give nothing', async (t) => {
  const ports = setup()
  await ports.conversations.begin('p3-9', 1)
  await talk(ports, '1', { messages: 2, at: 100 })
  await ports.cursors.advance([{ user: '9', conversation: 'p1-9', deliveredSeq: 2 }])
  t.same(await told(ports), [])
})
