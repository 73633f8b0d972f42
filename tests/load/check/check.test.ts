import t, { type Test } from 'tap'
import type { Violations } from '../result.ts'
import { check } from './check.ts'
import { play, type Send, type Story, sentAt, smallStory, type Told } from './story.ts'

/** Exactly these kinds are found, and the first example says this. */
function found(t: Test, story: Story, kinds: Partial<Violations>, example: string | RegExp): void {
  const { clean, violations, examples } = check(play(story))
  t.equal(clean, false)
  const counted = Object.entries(violations).filter(([, count]) => count > 0)
  t.same(Object.fromEntries(counted), kinds)
  t.match(examples[0], example)
}

function clean(t: Test, story: Story): void {
  const verdict = check(play(story))
  t.same(verdict.examples, [])
  t.equal(verdict.clean, true)
}

const shownTo = (story: Story, connection: number) => story.connections[connection]?.shown as Told[]
const readBy = (story: Story, reading: number) => story.readings[reading]?.messages as Told[]
const send = (story: Story, index: number) => story.sends[index] as Send

t.test('a run in which everything went well is clean, and says how much was looked at', async (t) => {
  const { clean, checked, violations } = check(play(smallStory()))
  t.equal(clean, true)
  t.same(checked, { acknowledged: 3, stored: 3, shown: 3 })
  t.ok(Object.values(violations).every((count) => count === 0))
})

t.test("acknowledged, and in nobody's history: lost", async (t) => {
  const story = smallStory()
  for (const reading of [0, 1]) readBy(story, reading).pop()
  shownTo(story, 1).pop()
  found(
    t,
    story,
    { lost: 1, undelivered: 1 },
    'lost: p1-2 seq 3, msgId run-2, of client 1: acknowledged, and not in the history',
  )
})

t.test('acknowledged, and not in what one of two readers finds: lost to that one', async (t) => {
  const story = smallStory()
  readBy(story, 1).pop()
  found(t, story, { lost: 1 }, 'lost: p1-2 seq 3, msgId run-2: acknowledged, and not in what client 2 read')
})

t.test('nobody has read a conversation: what was acknowledged there counts as lost', async (t) => {
  found(t, { ...smallStory(), readings: [] }, { lost: 3, unexpected: 3 }, /^lost: p1-2 seq 1, msgId run-0/)
})

t.test('stored, and sent by nobody: unexpected', async (t) => {
  const story = smallStory()
  for (const reading of [0, 1]) readBy(story, reading).push({ send: 'stray', seq: 4, at: 2_000, conversation: 0 })
  found(t, story, { unexpected: 1 }, 'unexpected: p1-2 seq 4, msgId stray, as client 1 read it: nobody sent it')
})

t.test('stored though it was refused for good: unexpected', async (t) => {
  const story = smallStory()
  Object.assign(send(story, 2), { acks: [], refused: true })
  found(
    t,
    story,
    { unexpected: 1 },
    'unexpected: p1-2 seq 3, msgId run-2, as client 1 read it: it was refused for good',
  )
})

t.test('stored in another conversation than it was sent to: unexpected', async (t) => {
  const story = smallStory()
  story.clients.push({ userId: 3 })
  story.conversations.push({ id: 'p1-3', members: [0, 2] })
  story.readings.push({ client: 2, conversation: 1, messages: [{ send: 0, seq: 1, at: 1_000, conversation: 1 }] })
  const { violations, examples } = check(play(story))
  t.match(violations, { unexpected: 1 })
  t.ok(
    examples.includes('unexpected: p1-3 seq 1, msgId run-0, as client 3 read it: it was sent to p1-2'),
    examples.join(),
  )
})

t.test("shown, and in nobody's history: unexpected", async (t) => {
  const story = smallStory()
  send(story, 2).acks = []
  for (const reading of [0, 1]) readBy(story, reading).pop()
  found(
    t,
    story,
    { unexpected: 1 },
    'unexpected: p1-2 seq 3, msgId run-2, to client 2 (connection 1): it is not in the history',
  )
})

t.test('stored twice: doubled', async (t) => {
  const story = smallStory()
  for (const reading of [0, 1]) readBy(story, reading).push({ send: 0, seq: 4, at: 2_000, conversation: 0 })
  found(t, story, { doubled: 1 }, 'doubled: p1-2 seq 4, msgId run-0, as client 1 read it: it stands at seq 1 too')
})

t.test('shown twice on one connection: doubled', async (t) => {
  const story = smallStory()
  shownTo(story, 1).push(shownTo(story, 1)[1] as Told)
  found(
    t,
    story,
    { doubled: 1 },
    'doubled: p1-2 seq 2, msgId run-1, to client 2 (connection 1): it was shown there before',
  )
})

t.test('a seq that is left out: inversion', async (t) => {
  const story = smallStory()
  for (const told of [readBy(story, 0)[2], readBy(story, 1)[2], shownTo(story, 1)[2]])
    Object.assign(told as Told, { seq: 4 })
  send(story, 2).acks = [{ seq: 4, at: 1_002 }]
  found(t, story, { inversions: 2 }, 'inversions: p1-2 seq 4, msgId run-2, as client 1 read it: 3 was to come')
})

t.test('two readers who find another order: inversion', async (t) => {
  const story = smallStory()
  const [one, two] = [readBy(story, 1)[0] as Told, readBy(story, 1)[1] as Told]
  ;[one.send, two.send] = [two.send, one.send]
  found(
    t,
    story,
    { inversions: 2 },
    'inversions: p1-2 seq 1, msgId run-1, as client 2 read it: others have msgId run-0 there',
  )
})

t.test('a newest page that shows what the whole history has not: inversion', async (t) => {
  const story = smallStory()
  Object.assign(story.readings[1] as object, {
    whole: false,
    messages: [{ send: 2, seq: 9, at: 1_002, conversation: 0 }],
  })
  found(
    t,
    story,
    { inversions: 1 },
    'inversions: p1-2 seq 9, msgId run-2, as client 2 read it: others have nothing there',
  )
})

t.test('shown out of the order of seq on one connection: inversion', async (t) => {
  const story = smallStory()
  shownTo(story, 1).reverse()
  found(t, story, { inversions: 2 }, 'inversions: p1-2 seq 2, msgId run-1, to client 2 (connection 1): behind seq 3')
})

t.test("a sender's messages stored in another order than it sent them: sender inversion", async (t) => {
  const story = smallStory()
  // Sent as 1, 2, 3 and stored, acknowledged and shown as 2, 1, 3.
  const stored = [1, 0, 2].map((sent, i): Told => ({ send: sent, seq: i + 1, at: 1_000 + i, conversation: 0 }))
  for (const { send: sent, seq, at } of stored) send(story, Number(sent)).acks = [{ seq, at }]
  for (const reading of story.readings) reading.messages = stored
  Object.assign(story.connections[1] as object, { shown: stored })
  found(
    t,
    story,
    { senderInversions: 1 },
    'senderInversions: p1-2 seq 2, msgId run-0: client 1 sent it before msgId run-1, which stands at seq 1',
  )
})

t.test('what is read or shown differs from what was sent: content', async (t) => {
  const changes: [Partial<Told>, string][] = [
    [{ text: 'something else' }, 'text'],
    [{ fromUserId: 9 }, 'sender'],
    [{ at: 1_999 }, 'timestamp'],
  ]
  for (const [change, what] of changes) {
    const story = smallStory()
    Object.assign(shownTo(story, 1)[2] as Told, change)
    found(t, story, { content: 1 }, `content: p1-2 seq 3, msgId run-2, to client 2 (connection 1): another ${what}`)
  }
  const story = smallStory()
  for (const reading of [0, 1]) Object.assign(readBy(story, reading)[1] as Told, { text: 'something else' })
  found(
    t,
    story,
    { content: 1 },
    'content: p1-2 seq 2, msgId run-1, as client 1 read it: the text is not what client 1 sent',
  )
  const other = smallStory()
  for (const reading of [0, 1]) Object.assign(readBy(other, reading)[1] as Told, { fromUserId: 2 })
  found(
    t,
    other,
    { content: 1 },
    'content: p1-2 seq 2, msgId run-1, as client 1 read it: it is said to be from 2, not 1',
  )
})

t.test('two readers who find another text at the same place: content', async (t) => {
  const story = smallStory()
  Object.assign(readBy(story, 1)[1] as Told, { text: 'something else' })
  found(t, story, { content: 1 }, 'content: p1-2 seq 2, msgId run-1, as client 2 read it: others read another text')
})

t.test('shown under another seq than it is stored: content', async (t) => {
  const story = smallStory()
  Object.assign(shownTo(story, 1)[2] as Told, { seq: 8 })
  found(t, story, { content: 1, undelivered: 1 }, /another seq \(it is stored as 3\)/)
})

t.test('stored under another seq or time than was acknowledged: content', async (t) => {
  const story = smallStory()
  send(story, 1).acks = [{ seq: 2, at: 5 }]
  found(t, story, { content: 1 }, 'content: p1-2 seq 2, msgId run-1, of client 1 at 5: it is stored as seq 2 at 1001')
})

t.test('a duplicate answered otherwise than the original: content', async (t) => {
  const story = smallStory()
  send(story, 1).acks.push({ seq: 7, at: 1_001 })
  found(t, story, { content: 1 }, /msgId run-1, of client 1: acknowledged as seq 2 at 1001, then seq 7 at 1001/)
})

t.test('timestamps that do not rise: content', async (t) => {
  const story = smallStory()
  const at = 1_000
  for (const told of [readBy(story, 0)[1], readBy(story, 1)[1], shownTo(story, 1)[1]])
    Object.assign(told as Told, { at })
  send(story, 1).acks = [{ seq: 2, at }]
  found(t, story, { content: 1 }, /seq 2.*its timestamp is not after that of the message before/)
})

t.test('acknowledged, and never shown to a receiver that was there: undelivered', async (t) => {
  const story = smallStory()
  shownTo(story, 1).splice(1, 1)
  found(t, story, { undelivered: 1 }, 'undelivered: p1-2 seq 2, msgId run-1, of client 1: client 2 was never shown it')
})

t.test('a receiver that came back later and knows only the seeds gets what it missed', async (t) => {
  const story = smallStory()
  const [first, second, third] = shownTo(story, 1) as [Told, Told, Told]
  story.connections.splice(1, 1, { client: 1, closedAt: sentAt(0) + 600, shown: [first] })
  story.connections.push({ client: 1, boundAt: sentAt(9), shown: [third] })
  found(t, story, { undelivered: 1 }, /seq 2, msgId run-1, of client 1: client 2 was never shown it/)
  story.connections[2]?.shown.unshift(first, second)
  clean(t, story)
})

t.test('a receiver that syncs by itself is owed what was live, not what it missed', async (t) => {
  const story = smallStory()
  const [first, , third] = shownTo(story, 1) as [Told, Told, Told]
  story.clients[1] = { userId: 2, sync: true }
  story.connections.splice(1, 1, { client: 1, closedAt: sentAt(0) + 600, shown: [first] })
  story.connections.push({ client: 1, boundAt: sentAt(1) + 900, shown: [third] })
  clean(t, story)
  story.connections[2]?.shown.pop()
  found(t, story, { undelivered: 1 }, /seq 3, msgId run-2, of client 1: client 2 was never shown it/)
})

t.test('a receiver that is gone for good is owed nothing', async (t) => {
  const story = smallStory()
  Object.assign(story.connections[1] as object, { closedAt: sentAt(1) + 600, shown: shownTo(story, 1).slice(0, 2) })
  clean(t, story)
})

t.test('the backlog is the newest 500: what lies behind is owed to nobody who was away', async (t) => {
  const story = smallStory(600)
  const all = shownTo(story, 1)
  Object.assign(story.connections[1] as object, { boundAt: sentAt(599) + 900, shown: all.slice(100) })
  clean(t, story)
  Object.assign(story.connections[1] as object, { shown: all.slice(101) })
  found(t, story, { undelivered: 1 }, /seq 101, msgId run-2s, of client 1: client 2 was never shown it/)
})

t.test(
  'what was stored long before a connection and acknowledged only after it is owed as far as the backlog goes',
  async (t) => {
    const story = smallStory(600)
    const all = shownTo(story, 1)
    Object.assign(story.sends[50] as object, { ackedAt: sentAt(600) + 100 })
    Object.assign(story.connections[1] as object, { boundAt: sentAt(599) + 900, shown: all.slice(100) })
    clean(t, story)
  },
)

t.test('what was sent before a connection and stored only after it is owed', async (t) => {
  const story = smallStory(600)
  const last = story.sends.length - 1
  // The first one is sent again and again, and stored behind all the others.
  const places = [last, ...Array.from({ length: last }, (_, i) => i)]
  const move = (told: Told) =>
    Object.assign(told, { seq: places[told.send as number]! + 1, at: 1_000 + places[told.send as number]! })
  for (const [send, { acks }] of story.sends.entries())
    Object.assign(acks[0] as object, { seq: places[send]! + 1, at: 1_000 + places[send]! })
  Object.assign(story.sends[0] as object, { ackedAt: sentAt(600) + 100 })
  for (const { messages } of story.readings) messages.map(move).sort((one, other) => one.seq - other.seq)
  const shown = shownTo(story, 1)
    .map(move)
    .sort((one, other) => one.seq - other.seq)
  Object.assign(story.connections[1] as object, { boundAt: sentAt(599) + 900, shown })
  // That the first one stands last is another matter.
  t.equal(check(play(story)).violations.undelivered, 0)
  Object.assign(story.connections[1] as object, { shown: shown.slice(0, -1) })
  t.equal(check(play(story)).violations.undelivered, 1)
})

t.test('shown to somebody who is not in the conversation: leaked', async (t) => {
  const story = smallStory()
  story.clients.push({ userId: 3 })
  story.connections.push({ client: 2, shown: [shownTo(story, 1)[0] as Told] })
  found(
    t,
    story,
    { leaked: 1 },
    'leaked: p1-2 seq 1, msgId run-0, to client 3 (connection 1): it is not in the conversation',
  )
})

t.test('shown to somebody who had left more than 200 ms before it was stored: leaked', async (t) => {
  const history = play(smallStory())
  history.left(0, 1, 802)
  t.match(check(history).violations, { leaked: 0, undelivered: 0 })
  history.left(0, 1, 801)
  t.match(check(history).violations, { leaked: 1 })
  t.match(
    check(history).examples[0],
    /^leaked: p1-2 seq 3, msgId run-2, to client 2 \(connection 1\): it had left at 801/,
  )
})

t.test(
  "shown on the connection it was sent on: leaked; on a later one of its sender it is another device's",
  async (t) => {
    const story = smallStory()
    const own = shownTo(story, 1)[0] as Told
    shownTo(story, 0).push(own)
    found(
      t,
      story,
      { leaked: 1 },
      'leaked: p1-2 seq 1, msgId run-0, to client 1 (connection 1): it was sent on that connection',
    )
    Object.assign(story.connections[0] as object, { shown: [] })
    story.connections.push({ client: 0, shown: [own] })
    clean(t, story)
  },
)

t.test('what has no outcome may be stored, and may be missing', async (t) => {
  const story = smallStory()
  send(story, 2).acks = []
  clean(t, story)
  for (const reading of [0, 1]) readBy(story, reading).pop()
  shownTo(story, 1).pop()
  clean(t, story)
})

t.test('what has no outcome may come to light between two readings', async (t) => {
  const story = smallStory()
  send(story, 2).acks = []
  readBy(story, 0).pop()
  clean(t, story)
})

t.test('what was given up may stand behind what was sent after it', async (t) => {
  const story = smallStory()
  const stored = [1, 2, 0].map((sent, i): Told => ({ send: sent, seq: i + 1, at: 1_000 + i, conversation: 0 }))
  for (const { send: sent, seq, at } of stored) send(story, Number(sent)).acks = sent === 0 ? [] : [{ seq, at }]
  for (const reading of story.readings) reading.messages = stored
  Object.assign(story.connections[1] as object, { shown: stored })
  clean(t, story)
})

t.test('a duplicate is acknowledged twice in the same way', async (t) => {
  const story = smallStory()
  send(story, 1).acks.push({ seq: 2, at: 1_001 })
  clean(t, story)
})

t.test('a message may be shown again on another connection; each is in order for itself', async (t) => {
  const story = smallStory()
  const all = shownTo(story, 1)
  story.connections.push({ client: 1, boundAt: sentAt(2), shown: all.slice(1) })
  clean(t, story)
  story.connections[2]?.shown.reverse()
  found(t, story, { inversions: 1 }, 'inversions: p1-2 seq 2, msgId run-1, to client 2 (connection 2): behind seq 3')
})

t.test('of one kind the first few are told, all are counted', async (t) => {
  const story = smallStory(20)
  Object.assign(story.connections[1] as object, { shown: [] })
  const { violations, examples } = check(play(story))
  t.equal(violations.undelivered, 20)
  t.equal(examples.length, 5)
})
