import { type ConversationId, peerOf } from '@qunxin/contracts'
import t from 'tap'
import type { Message } from '../../src/domain/message.ts'
import type { Membership } from '../../src/membership/source.ts'
import { listConversations } from '../../src/reads/conversation-list.ts'
import { message } from '../sample.ts'
import { memoryStores } from '../sample-stores.ts'

/** User 1 in some groups. */
function setup(memberships: Membership[] = []) {
  const membership = { groupsOf: async () => memberships }
  return { ...memoryStores(), membership, memberships }
}
type Ports = ReturnType<typeof setup>

/** One entry by each of these authors, a millisecond apart from `at` on. */
async function talk(
  ports: Ports,
  conversation: ConversationId,
  options: { by: string[]; at: number } & Partial<Message>,
) {
  const { by, at, ...fields } = options
  const group = conversation.startsWith('g') ? { group: conversation.slice(1) } : {}
  const [head] = await ports.log.heads([conversation])
  if (!head && !('group' in group)) await ports.conversations.begin([conversation], at)
  const first = (head?.seq ?? 0) + 1
  const to = (from: string) => ('group' in group ? {} : { to: peerOf(conversation, from) ?? '' })
  await ports.log.append(
    by.map((from, i) => message({ conversation, ...group, ...to(from), from, seq: first + i, at: at + i, ...fields })),
  )
  if (!('group' in group)) await ports.conversations.touch([{ conversation, at: at + by.length - 1 }])
}

const list = async (ports: Ports, after?: string) => listConversations(ports, '1', { after })
const short = ({ conversations }: Awaited<ReturnType<typeof list>>) =>
  conversations.map(({ sessionId, peerUserId, lastSeq, unread }) => [sessionId || peerUserId, lastSeq, unread])

t.test(
  'personal conversations and groups, the newest first, with what others sent behind the read cursor',
  async (t) => {
    const ports = setup([{ groupId: '5', joinedAt: 1, joinedSeq: 0 }])
    await talk(ports, 'p1-2', { by: ['2', '1', '2', '2'], at: 100 })
    await talk(ports, 'g5', { by: ['3', '1', '4'], at: 300 })
    await talk(ports, 'p1-7', { by: ['7'], at: 200 })
    await ports.cursors.advance([{ user: '1', conversation: 'p1-2', deliveredSeq: 4, readSeq: 2 }])
    const found = await list(ports)
    t.same(short(found), [
      ['5', 3, 2],
      [7, 1, 1],
      [2, 4, 2],
    ])
    t.match(found.conversations[0], { deliveredSeq: 0, readSeq: 0, lastMessage: { fromUserId: 4, seq: 3, state: 1 } })
    t.match(found.conversations[2], { deliveredSeq: 4, readSeq: 2, lastMessage: { fromUserId: 2, seq: 4, state: 2 } })
    t.notOk('next' in found)
  },
)

t.test('a row without a message is not shown, nor a group without one or of others', async (t) => {
  const ports = setup([{ groupId: '5', joinedAt: 1, joinedSeq: 0 }])
  await ports.conversations.begin(['p1-2'], 9)
  await talk(ports, 'g6', { by: ['3'], at: 300 })
  t.same(await list(ports), { conversations: [] })
})

t.test('pages of 50 lead through all conversations, each once, though some are as old as others', async (t) => {
  const ports = setup([{ groupId: '5', joinedAt: 1, joinedSeq: 0 }])
  for (let peer = 100; peer < 220; peer++) await talk(ports, `p1-${peer}`, { by: ['1'], at: 1_000 + (peer >> 3) })
  await talk(ports, 'g5', { by: ['3'], at: 1_020 })
  const seen: (string | number)[] = []
  const sizes: number[] = []
  let after: string | undefined
  do {
    const page = await list(ports, after)
    seen.push(...page.conversations.map(({ sessionId, peerUserId }) => sessionId || peerUserId))
    sizes.push(page.conversations.length)
    after = page.next
  } while (after !== undefined)
  t.same(sizes, [50, 50, 21])
  t.equal(new Set(seen).size, 121)
  t.equal(seen[0], 216)
})

t.test('a page that would be too large is shorter, and the next one begins where it ends', async (t) => {
  const ports = setup()
  for (let peer = 100; peer < 140; peer++)
    await talk(ports, `p1-${peer}`, { by: ['1'], at: 1_000 + peer, text: '长'.repeat(5_000) })
  const first = await list(ports)
  t.ok(Buffer.byteLength(JSON.stringify(first)) <= 256 * 1024)
  const second = await list(ports, first.next)
  const third = await list(ports, second.next)
  t.equal(first.conversations.length + second.conversations.length + third.conversations.length, 40)
  t.equal(first.conversations.at(-1)!.peerUserId - 1, second.conversations[0]!.peerUserId)
  t.notOk('next' in third)
})

t.test('what no page was told to begin with is refused', async (t) => {
  for (const after of ['', '12', 'p1-2', '1.p1', '1.x5', '$.g5', '1.g5 '])
    await t.rejects(list(setup(), after), { code: 'BAD_REQUEST', details: { field: 'after' } }, after)
})

t.test('unread counts to 999, and own messages however many are none', async (t) => {
  const ports = setup()
  await talk(ports, 'p1-2', { by: Array.from({ length: 1_500 }, (_, i) => (i % 3 ? '2' : '1')), at: 1_000 })
  await talk(ports, 'p1-3', { by: Array.from({ length: 1_500 }, (_, i) => (i % 4 ? '1' : '3')), at: 9_000 })
  await talk(ports, 'p1-4', { by: ['1', '1'], at: 20_000 })
  t.same(short(await list(ports)), [
    [4, 2, 0],
    [3, 1_500, 375],
    [2, 1_500, 999],
  ])
})

t.test('recalls, edits and recalled messages are not unread, and no last message', async (t) => {
  const ports = setup()
  await talk(ports, 'p1-2', { by: ['2', '2', '2'], at: 100 })
  const changes = [
    message({ seq: 4, at: 110, from: '2', to: '1', change: { kind: 'recall', seq: 2, msgId: 'm2' } }),
    message({ seq: 5, at: 111, from: '2', to: '1', change: { kind: 'edit', seq: 1, msgId: 'm1' }, text: 'new' }),
  ]
  await ports.log.append(changes)
  await ports.log.applyChanges(changes)
  const { conversations } = await list(ports)
  t.match(conversations, [{ lastSeq: 5, unread: 2, lastMessage: { seq: 3, contentStr: 'text 3' } }])
})

t.test('so it is too where so much of what was not read has been removed that nothing is left of it', async (t) => {
  const ports = setup()
  const entry = (seq: number, fields: Partial<Message> = {}) =>
    message({ conversation: 'p1-2', seq, at: 1_000 + seq, from: '2', to: '1', ...fields })
  await ports.conversations.begin(['p1-2'], 1)
  await ports.log.append([
    ...[6_001, 6_002, 6_003, 6_004].map((seq) => entry(seq)),
    entry(6_005, { from: '1', to: '2' }),
    entry(6_006, { change: { kind: 'recall', seq: 6_002, msgId: 'm6002' } }),
    entry(6_007, { change: { kind: 'edit', seq: 6_003, msgId: 'm6003' }, text: 'new' }),
  ])
  t.match((await list(ports)).conversations, [{ lastSeq: 6_007, unread: 3 }])
})

t.test('who joined has read what was there: by seq, or by time where the seq is not known', async (t) => {
  const bySeq = { groupId: '5', joinedAt: 1, joinedSeq: 2 }
  const byTime = { groupId: '6', joinedAt: 301 }
  const ports = setup([bySeq, byTime])
  for (const group of ['g5', 'g6']) await talk(ports, group, { by: ['3', '3', '3', '3'], at: 300 })
  // Of an earlier membership.
  await ports.cursors.advance([{ user: '1', conversation: 'g5', deliveredSeq: 1, readSeq: 1 }])
  const { conversations } = await list(ports)
  for (const one of conversations) t.match(one, { deliveredSeq: 2, readSeq: 2, unread: 2 })
  t.equal(conversations.length, 2)
})

t.test('of a group whose history is for members of the time, the last message is the last one then', async (t) => {
  const visible = [
    { afterTime: 300, afterSeq: 1, toTime: 303, toSeq: 3 },
    { afterTime: 309, afterSeq: 6 },
  ]
  const ports = setup([{ groupId: '5', joinedAt: 309, joinedSeq: 6, visible }])
  await talk(ports, 'g5', { by: ['3', '3', '3', '3', '3', '3'], at: 301 })
  t.match((await list(ports)).conversations, [{ lastSeq: 6, unread: 0, lastMessage: { seq: 3 } }])
  await talk(ports, 'g5', { by: ['4'], at: 310 })
  t.match((await list(ports)).conversations, [{ lastSeq: 7, unread: 1, lastMessage: { seq: 7 } }])
})

t.test('nothing is shown of a group of whose time nothing is stored; times do where seqs are not known', async (t) => {
  const ports = setup([{ groupId: '5', joinedAt: 303, visible: [{ afterTime: 303 }] }])
  await talk(ports, 'g5', { by: ['3', '3', '3'], at: 301 })
  const [entry] = (await list(ports)).conversations
  t.match(entry, { lastSeq: 3, unread: 0, readSeq: 3 })
  t.notOk('lastMessage' in entry!)
})

t.test('what is muted is marked, and the state of the last message is that of its reader', async (t) => {
  const ports = setup([{ groupId: '5', joinedAt: 1, joinedSeq: 0 }])
  await talk(ports, 'p1-2', { by: ['1'], at: 100 })
  await talk(ports, 'g5', { by: ['1'], at: 200 })
  await ports.preferences.change({ user: '1', conversation: 'g5', version: 0, muted: true })
  await ports.cursors.advance([{ user: '2', conversation: 'p1-2', deliveredSeq: 1, readSeq: 1 }])
  await ports.floors.raise([{ _id: 'g5', version: 1, delivered: [['3', 1]], read: [['3', 0]] }])
  const [group, personal] = (await list(ports)).conversations
  t.match(group, { muted: true, lastMessage: { state: 2 } })
  t.match(personal, { lastMessage: { state: 3 } })
  t.notOk('muted' in personal!)
})

t.test('no last message is newer than the lastSeq beside it, whatever is sent meanwhile', async (t) => {
  const ports = setup()
  await talk(ports, 'p1-2', { by: ['2', '2'], at: 100 })
  const change = { kind: 'edit' as const, seq: 1, msgId: 'm1' }
  await ports.log.append([message({ seq: 3, at: 110, from: '2', to: '1', change, text: 'new' })])
  const begins = ports.overviews.begins.bind(ports.overviews)
  ports.overviews.begins = async (asked) => {
    await talk(ports, 'p1-2', { by: ['2'], at: 120 })
    return begins(asked)
  }
  t.match((await list(ports)).conversations, [{ lastSeq: 3, lastMessage: { seq: 2 } }])
})
