import t from 'tap'
import {
  conversationNamed,
  groupConversation,
  groupOf,
  nameFor,
  ownerOf,
  pairOf,
  partitionOf,
  peerOf,
  personalConversation,
} from '../src/index.ts'

t.test('a personal conversation is the same from both sides, numerically ordered', async (t) => {
  t.equal(personalConversation('9', '10'), 'p9-10')
  t.equal(personalConversation('10', '9'), 'p9-10')
  t.same(pairOf('p9-10'), ['9', '10'])
  t.equal(peerOf('p9-10', '9'), '10')
  t.equal(peerOf('p9-10', '10'), '9')
  t.equal(groupOf('p9-10'), undefined)
})

t.test('the wire names a conversation by session and peer', async (t) => {
  t.same(nameFor('p9-10', '10'), { sessionId: '', peerUserId: 9 })
  t.same(nameFor(groupConversation('123'), '10'), { sessionId: '123', peerUserId: 0 })
  for (const conversation of ['p9-10', groupConversation('123')])
    t.equal(conversationNamed(nameFor(conversation, '10'), '10'), conversation)
})

t.test('conversations spread evenly over partitions', async (t) => {
  const counts = new Array<number>(64).fill(0)
  for (let i = 0; i < 64_000; i++) {
    const partition = partitionOf(personalConversation(String(1000 + i), String(5000 + i * 7)), 64)
    counts[partition] = (counts[partition] ?? 0) + 1
  }
  t.ok(
    Math.min(...counts) > 800 && Math.max(...counts) < 1200,
    `between ${Math.min(...counts)} and ${Math.max(...counts)}`,
  )
})

t.test('when an instance leaves only its own partitions move', async (t) => {
  const instances = ['m1-aaaa', 'm2-bbbb', 'm3-cccc']
  const left = instances.slice(0, 2)
  const owned = new Map<string, number>()
  for (let partition = 0; partition < 64; partition++) {
    const before = ownerOf(partition, instances)
    owned.set(String(before), (owned.get(String(before)) ?? 0) + 1)
    if (before !== 'm3-cccc') t.equal(ownerOf(partition, left), before)
    t.equal(ownerOf(partition, [...instances].reverse()), before, 'whoever lists them')
  }
  t.ok(Math.min(...owned.values()) >= 8, JSON.stringify([...owned]))
  t.equal(ownerOf(1, []), undefined)
})
