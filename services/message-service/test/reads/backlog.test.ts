import { AppError } from '@qunxin/runtime'
import t from 'tap'
import type { Membership } from '../../src/membership/source.ts'
import { type BacklogGroups, readBacklog } from '../../src/reads/backlog.ts'
import { GroupsInTime } from '../../src/reads/groups-in-time.ts'
import { MemoryConversations } from '../../src/store/memory-conversations.ts'
import { MemoryCursors } from '../../src/store/memory-cursors.ts'
import { MemoryLog } from '../../src/store/memory-log.ts'
import { groupsOf, message } from '../sample.ts'

function setup(memberships: Membership[] = []) {
  // What group-service does when it is asked for a user's groups.
  const answering = { groupsOf: async () => memberships }
  const membership = { ...groupsOf({ version: 1, members: [] }), groupsOf: () => answering.groupsOf() }
  const groupsInTime = new GroupsInTime(membership)
  const stores = { log: new MemoryLog(), cursors: new MemoryCursors(), conversations: new MemoryConversations() }
  return { ...stores, membership, groupsInTime, answering }
}
type Ports = ReturnType<typeof setup>

/** So many messages to user 9, from `user`, a millisecond apart beginning at `at`. */
async function talk(ports: Ports, user: string, options: { messages: number; at: number }) {
  const conversation = `p${user}-9`
  await ports.conversations.begin([conversation], options.at)
  await ports.log.append(
    Array.from({ length: options.messages }, (_, i) =>
      message({ conversation, from: user, to: '9', seq: i + 1, at: options.at + i, msgId: `${user}-${i}` }),
    ),
  )
}
const told = async (ports: Ports, groups?: BacklogGroups) =>
  (await readBacklog(ports, '9', groups)).messages.map((one) => [one.fromUserId, one.seq])

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

t.test('of a group come back to, nothing of before, whatever the cursor says and the history shows', async (t) => {
  const visible = [
    { afterTime: 1, afterSeq: 0, toTime: 2, toSeq: 1 },
    { afterTime: 3, afterSeq: 3 },
  ]
  for (const more of [{}, { visible }]) {
    const ports = setup([
      { groupId: '5', joinedAt: 1, joinedSeq: 3, ...more },
      { groupId: '6', joinedAt: 1_003, ...more },
      { groupId: '7', joinedAt: 1_005, ...more },
      { groupId: '8', joinedAt: 1_009, joinedSeq: 5, ...more },
    ])
    for (const group of ['5', '6', '7', '8'])
      await ports.log.append([1, 2, 3, 4, 5].map((seq) => message({ group, seq, from: group })))
    const cursors = ['g5', 'g6', 'g7', 'g8'].map((conversation) => ({ user: '9', conversation, deliveredSeq: 1 }))
    await ports.cursors.advance(cursors)
    t.same((await told(ports)).toSorted(), [
      [5, 4],
      [5, 5],
      [6, 4],
      [6, 5],
    ])
  }
})

t.test('rows without messages and conversations up to date give nothing', async (t) => {
  const ports = setup()
  await ports.conversations.begin(['p3-9'], 1)
  await talk(ports, '1', { messages: 2, at: 100 })
  await ports.cursors.advance([{ user: '9', conversation: 'p1-9', deliveredSeq: 2 }])
  t.same(await told(ports), [])
})

/** One message of user 2 to user 9, and two in a group of both. */
async function pairAndGroup() {
  const ports = setup([{ groupId: '5', joinedAt: 1 }])
  await talk(ports, '2', { messages: 1, at: 1_500 })
  await ports.log.append([1, 2].map((seq) => message({ group: '5', seq, from: '3' })))
  return ports
}

t.test('whoever can do without the groups gets everything at once when group-service answers', async (t) => {
  const ports = await pairAndGroup()
  const answer = await readBacklog(ports, '9', 'optional')
  t.same(answer, await readBacklog(ports, '9'))
  t.equal(answer.messages.length, 3)
  t.notOk('groupsMissing' in answer)
})

const away = {
  refuses: () => Promise.reject(new AppError('UNAVAILABLE')),
  hangs: () => new Promise<never>(() => {}),
}
for (const [how, groupsOf] of Object.entries(away))
  t.test(`while group-service ${how} personal messages come, and the answer says what is missing`, async (t) => {
    const ports = await pairAndGroup()
    const { groupsOf: answers } = ports.answering
    ports.answering.groupsOf = groupsOf
    const { messages, groupsMissing } = await readBacklog(ports, '9', 'optional')
    t.same(
      messages.map((one) => [one.fromUserId, one.seq]),
      [[2, 1]],
    )
    t.equal(groupsMissing, true)
    ports.answering.groupsOf = answers
    t.same(await told(ports, 'only'), [
      [3, 1],
      [3, 2],
    ])
  })

t.test('whoever asks for everything, or for the groups, is not told less', async (t) => {
  const ports = await pairAndGroup()
  ports.answering.groupsOf = away.refuses
  await t.rejects(told(ports), { code: 'UNAVAILABLE' })
  await t.rejects(told(ports, 'only'), { code: 'UNAVAILABLE' })
})

t.test('with the groups alone the newest 500 of them come, whatever else there is', async (t) => {
  const ports = setup([{ groupId: '5', joinedAt: 1 }])
  await talk(ports, '2', { messages: 600, at: 9_000 })
  await ports.log.append(Array.from({ length: 600 }, (_, i) => message({ group: '5', seq: i + 1, from: '3' })))
  const messages = await told(ports, 'only')
  t.same([messages[0], messages.at(-1), messages.length], [[3, 101], [3, 600], 500])
})
