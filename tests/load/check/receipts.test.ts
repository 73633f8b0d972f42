import t, { type Test } from 'tap'
import type { Violations } from '../result.ts'
import { check } from './check.ts'
import { play, type Story, smallStory } from './story.ts'

/** Users 1 and 2; 1 has sent three messages, which 2 was shown and has read. */
function readStory(): Story {
  return {
    ...smallStory(),
    marks: [
      { client: 1, conversation: 0, seq: 1 },
      { client: 1, conversation: 0, seq: 3 },
    ],
    cursors: [
      { client: 0, conversation: 0, userId: 2, delivered: 1, read: 0 },
      { client: 0, conversation: 0, userId: 2, delivered: 3, read: 1 },
      { client: 0, conversation: 0, userId: 2, delivered: 3, read: 3 },
    ],
    standings: [
      { client: 0, conversation: 0, deliveredSeq: 3, readSeq: 3, unread: 0 },
      { client: 1, conversation: 0, deliveredSeq: 3, readSeq: 3, unread: 0 },
    ],
    receipts: [{ conversation: 0, seq: 3, deliveredCount: 1, readCount: 1, total: 1, readers: [2] }],
  }
}

/** Users 1, 2 and 3 in a group; 1 has sent three messages, 2 has read two of them, 3 none. */
function groupStory(): Story {
  const story = smallStory()
  const shown = story.connections[1]?.shown ?? []
  return {
    ...story,
    clients: [...story.clients, { userId: 3 }],
    conversations: [{ id: 'g9', members: [0, 1, 2] }],
    connections: [...story.connections, { client: 2, shown: shown.map((told) => ({ ...told })) }],
    readings: [0, 1, 2].map((client) => ({ client, conversation: 0, messages: shown.map((told) => ({ ...told })) })),
    marks: [{ client: 1, conversation: 0, seq: 2 }],
    tallies: [
      { client: 0, conversation: 0, seq: 3, delivered: 1, read: 0, total: 2 },
      { client: 0, conversation: 0, seq: 2, delivered: 2, read: 1, total: 2 },
      { client: 0, conversation: 0, seq: 3, delivered: 2, read: 0, total: 2 },
    ],
    standings: [
      { client: 1, conversation: 0, deliveredSeq: 3, readSeq: 2, unread: 1 },
      { client: 2, conversation: 0, deliveredSeq: 3, readSeq: 0, unread: 3 },
    ],
    receipts: [{ conversation: 0, seq: 3, deliveredCount: 2, readCount: 0, total: 2, readers: [] }],
  }
}

function found(t: Test, story: Story, kinds: Partial<Violations>, example: string): void {
  const { clean, violations, examples } = check(play(story))
  t.equal(clean, false)
  t.same(Object.fromEntries(Object.entries(violations).filter(([, count]) => count > 0)), kinds)
  t.equal(examples[0], example)
}

t.test('cursors that go forward and counts that are right at the end are clean', async (t) => {
  for (const story of [readStory(), groupStory()]) t.same(check(play(story)).examples, [])
})

t.test('a cursor that is shown behind where it was shown before', async (t) => {
  const story = readStory()
  story.cursors?.push({ client: 0, conversation: 0, userId: 2, delivered: 3, read: 1 })
  const example =
    'cursorsBack: p1-2, that of user 2 as client 1 was shown it: delivered 3, read 1, behind delivered 3, read 3'
  found(t, story, { cursorsBack: 1 }, example)
})

t.test('a cursor that is ahead of what its user said it had read', async (t) => {
  const story = { ...readStory(), marks: [{ client: 1, conversation: 0, seq: 2 }], standings: [], receipts: [] }
  const example =
    'cursorsAhead: p1-2, that of user 2 as client 1 was shown it: delivered 3, read 3: it never came further than delivered 3, read 2'
  found(t, story, { cursorsAhead: 1 }, example)
})

t.test('a cursor that is ahead of what its user was shown', async (t) => {
  const story = { ...readStory(), marks: [], standings: [], receipts: [] }
  story.cursors = [{ client: 1, conversation: 0, userId: 2, delivered: 4, read: 0 }]
  const example =
    'cursorsAhead: p1-2, that of user 2 as client 2 was shown it: delivered 4, read 0: it never came further than delivered 3, read 0'
  found(t, story, { cursorsAhead: 1 }, example)
})

t.test('a count of readers that falls, and one above the number of members', async (t) => {
  const story = groupStory()
  story.tallies?.push({ client: 0, conversation: 0, seq: 2, delivered: 2, read: 0, total: 2 })
  const back = 'cursorsBack: g9 seq 2, as client 1 was shown it: delivered 2, read 0 of 2, behind delivered 2, read 1'
  found(t, story, { cursorsBack: 1 }, back)
  story.tallies = [{ client: 0, conversation: 0, seq: 2, delivered: 3, read: 0, total: 2 }]
  found(t, story, { cursorsAhead: 1 }, 'cursorsAhead: g9 seq 2, as client 1 was shown it: delivered 3, read 0 of 2')
})

t.test('a list at the end with another readSeq than was said', async (t) => {
  const story = readStory()
  story.standings = [{ client: 1, conversation: 0, deliveredSeq: 3, readSeq: 2, unread: 1 }]
  found(t, story, { finalCounts: 1 }, 'finalCounts: p1-2, in the list of client 2: readSeq 2, not 3')
})

t.test('what one sends right behind what one has read may be read, too, and never counts as unread', async (t) => {
  const story = readStory()
  story.standings = [{ client: 0, conversation: 0, deliveredSeq: 0, readSeq: 0, unread: 0 }]
  t.same(check(play(story)).examples, [])
  story.standings = [{ client: 0, conversation: 0, deliveredSeq: 0, readSeq: 0, unread: 3 }]
  found(t, story, { finalCounts: 1 }, 'finalCounts: p1-2, in the list of client 1: 3 unread, not 0')
})

t.test('receipts at the end that leave out or make up a reader, or somebody who had it', async (t) => {
  const story = groupStory()
  story.receipts = [{ conversation: 0, seq: 2, deliveredCount: 2, readCount: 1, total: 2, readers: [3] }]
  found(t, story, { finalCounts: 1 }, 'finalCounts: g9 seq 2, asked for its receipts: read by 3, not by 2')
  story.receipts = [{ conversation: 0, seq: 2, deliveredCount: 1, readCount: 1, total: 2, readers: [2] }]
  const had = 'finalCounts: g9 seq 2, asked for its receipts: 1 of 2 had it, not 2 of as many'
  found(t, story, { finalCounts: 1 }, had)
})
