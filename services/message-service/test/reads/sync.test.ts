import { type ConversationId, nameFor, type SyncPosition } from '@qunxin/contracts'
import t from 'tap'
import type { Message } from '../../src/domain/message.ts'
import type { Membership } from '../../src/membership/source.ts'
import { readSync } from '../../src/reads/sync.ts'
import { message } from '../sample.ts'
import { memoryStores } from '../sample-stores.ts'

/** User 1 in some groups. */
function setup(memberships: Membership[] = []) {
  return { ...memoryStores(), membership: { groupsOf: async () => memberships } }
}
type Ports = ReturnType<typeof setup>

async function talk(ports: Ports, conversation: ConversationId, count: number, fields: Partial<Message> = {}) {
  const place = conversation.startsWith('g') ? { group: conversation.slice(1) } : {}
  if (conversation.startsWith('p')) await ports.conversations.begin([conversation], 1)
  await ports.log.append(
    Array.from({ length: count }, (_, i) =>
      message({ conversation, ...place, from: '9', seq: i + 1, at: 100 + i, ...fields }),
    ),
  )
}

const named = (conversation: ConversationId, seq: number) => {
  const { sessionId, peerUserId } = nameFor(conversation, '1')
  return { sessionId: sessionId || undefined, peerUserId: peerUserId ? String(peerUserId) : undefined, seq }
}
const sync = (ports: Ports, positions: [ConversationId, number][] = [], newAfter?: string) =>
  readSync(ports, '1', { positions: positions.map(([conversation, seq]) => named(conversation, seq)), newAfter })
const seqs = (position: SyncPosition | undefined) =>
  position?.status === 'messages' ? position.messages.map(({ seq }) => seq) : undefined

t.test('each position has one of three answers, in the order asked', async (t) => {
  const ports = setup([{ groupId: '5', joinedAt: 1, joinedSeq: 0 }])
  await talk(ports, 'p1-2', 3)
  await talk(ports, 'g5', 4)
  await talk(ports, 'p1-3', 1)
  await talk(ports, 'g6', 7)
  const answer = await sync(ports, [
    ['g5', 2],
    ['g6', 1],
    ['p1-2', 3],
    ['p1-3', 2],
    ['p1-4', 0],
    ['p1-4', 1],
  ])
  t.match(answer.positions, [
    { sessionId: '5', peerUserId: 0, status: 'messages', hasMore: false },
    { sessionId: '6', peerUserId: 0, status: 'reset', reason: 'notAMember', lastSeq: 0 },
    { sessionId: '', peerUserId: 2, status: 'current' },
    { peerUserId: 3, status: 'reset', reason: 'ahead', lastSeq: 1 },
    { peerUserId: 4, status: 'current' },
    { peerUserId: 4, status: 'reset', reason: 'ahead', lastSeq: 0 },
  ])
  t.same(seqs(answer.positions[0]), [3, 4])
  t.same(answer.new, [])
  t.notOk('newNext' in answer)
})

t.test('what one sent oneself from another device is in it, with the state its reader gives it', async (t) => {
  const ports = setup()
  await talk(ports, 'p1-2', 2, { from: '1', to: '2' })
  await ports.cursors.advance([{ user: '2', conversation: 'p1-2', deliveredSeq: 2, readSeq: 1 }])
  const [position] = (await sync(ports, [['p1-2', 0]])).positions
  t.match(position, {
    messages: [
      { fromUserId: 1, seq: 1, state: 3 },
      { seq: 2, state: 2 },
    ],
  })
})

t.test('recalls and edits are among the messages, so that no seq is missing', async (t) => {
  const ports = setup()
  await talk(ports, 'p1-2', 2, { from: '2', to: '1' })
  const change = { kind: 'recall' as const, seq: 1, msgId: 'm1' }
  await ports.log.append([message({ seq: 3, at: 300, from: '2', to: '1', change })])
  const [position] = (await sync(ports, [['p1-2', 1]])).positions
  t.match(position, { messages: [{ seq: 2 }, { seq: 3, change }] })
})

t.test('conversations not named that have messages are new: groups, then personal ones, in pages of 500', async (t) => {
  const groups = Array.from({ length: 300 }, (_, i) => String(1_000 + i))
  const ports = setup(groups.map((groupId) => ({ groupId, joinedAt: 1, joinedSeq: 0 })))
  for (const group of groups) await talk(ports, `g${group}`, 2)
  for (let peer = 1_000; peer < 1_400; peer++) await talk(ports, `p1-${peer}`, 1)
  await ports.conversations.begin(['p1-2'], 1)
  const asked: [ConversationId, number][] = [
    ['g1000', 2],
    ['p1-1000', 1],
    ['p1-1399', 1],
  ]
  const first = await sync(ports, asked)
  t.equal(first.new.length, 500)
  t.same(
    [first.new[0], first.new.at(-1)],
    [
      { sessionId: '1001', peerUserId: 0, lastSeq: 2 },
      { sessionId: '', peerUserId: 1_201, lastSeq: 1 },
    ],
  )
  const second = await sync(ports, asked, first.newNext)
  t.same([second.new[0]?.peerUserId, second.new.at(-1)?.peerUserId], [1_202, 1_398])
  t.notOk('newNext' in second)
})

t.test('a page of new conversations may be all of rows without messages, and leads on', async (t) => {
  const ports = setup()
  for (let peer = 1_000; peer < 1_500; peer++) await ports.conversations.begin([`p1-${peer}`], 1)
  await talk(ports, 'p1-2000', 1)
  const first = await sync(ports)
  t.same(first.new, [])
  t.same((await sync(ports, [], first.newNext)).new, [{ sessionId: '', peerUserId: 2_000, lastSeq: 1 }])
})

t.test('what was not told before is no page of new conversations', async (t) => {
  for (const newAfter of ['x', 'p1', 'g', 'g5/', '{"$gt":""}'])
    await t.rejects(sync(setup(), [], newAfter), { code: 'BAD_REQUEST', details: { field: 'newAfter' } }, newAfter)
})

t.test(
  'an answer has its limit: positions behind it only say that there is more, and asking on leads through',
  async (t) => {
    const ports = setup()
    const at: [ConversationId, number][] = []
    for (let peer = 100; peer < 600; peer++) {
      await talk(ports, `p1-${peer}`, 3, { text: '长'.repeat(300) })
      at.push([`p1-${peer}`, 0])
    }
    let rounds = 0
    for (let more = true; more; rounds++) {
      const answer = await sync(ports, at)
      t.ok(Buffer.byteLength(JSON.stringify(answer)) <= 256 * 1024)
      t.equal(answer.positions.length, 500)
      more = false
      let isFull = false
      for (const [index, position] of answer.positions.entries()) {
        if (position.status !== 'messages') continue
        if (isFull) t.same([position.messages, position.hasMore], [[], true])
        isFull ||= position.hasMore
        more ||= position.hasMore
        const last = position.messages.at(-1)
        if (last) at[index]![1] = last.seq
      }
    }
    t.ok(rounds > 2)
    t.ok(at.every(([, seq]) => seq === 3))
  },
)

t.test('one conversation far behind comes in pieces, each whole', async (t) => {
  const ports = setup()
  await talk(ports, 'p1-2', 4_000)
  const got: number[] = []
  for (let rounds = 0; got.length < 4_000 && rounds < 10; rounds++) {
    const [position] = (await sync(ports, [['p1-2', got.at(-1) ?? 0]])).positions
    got.push(...(seqs(position) ?? []))
    t.match(position, { hasMore: got.length < 4_000 })
  }
  t.same(
    got,
    Array.from({ length: 4_000 }, (_, i) => i + 1),
  )
})

t.test('where what is asked for was removed, it begins anew', async (t) => {
  const ports = setup()
  await ports.log.append([7, 8, 9].map((seq) => message({ seq, at: seq })))
  const answer = await sync(ports, [
    ['p1-2', 4],
    ['p1-2', 6],
    ['p1-2', 9],
  ])
  t.match(answer.positions, [
    { status: 'reset', reason: 'expired', lastSeq: 9 },
    { status: 'messages', hasMore: false },
    { status: 'current' },
  ])
  t.same(seqs(answer.positions[1]), [7, 8, 9])
})

t.test(
  'of a group whose history is for members of the time only that comes, and nothing is new without it',
  async (t) => {
    const visible = [{ afterTime: 0, afterSeq: 1, toTime: 0, toSeq: 3 }, { afterTime: 105 }]
    const ports = setup([
      { groupId: '5', joinedAt: 105, visible },
      { groupId: '6', joinedAt: 900, joinedSeq: 8, visible: [{ afterTime: 900, afterSeq: 8 }] },
    ])
    await talk(ports, 'g5', 8)
    await talk(ports, 'g6', 8)
    const answer = await sync(ports, [
      ['g5', 0],
      ['g5', 3],
    ])
    t.same(answer.positions.map(seqs), [
      [2, 3, 7, 8],
      [7, 8],
    ])
    t.same(answer.new, [])
    t.match((await sync(ports, [['g6', 2]])).positions, [{ status: 'current' }])
  },
)
