import { randomBytes } from 'node:crypto'
import {
  type ConversationId,
  groupConversation,
  type OutputOf,
  personalConversation,
  type sync,
} from '@qunxin/contracts'
import { type CommandStartedEvent, MongoClient } from 'mongodb'
import t from 'tap'
import { readBehind } from '../../src/reads/behind.ts'
import { listConversations } from '../../src/reads/conversation-list.ts'
import { readSync } from '../../src/reads/sync.ts'
import { connectMongo } from '../../src/store/mongo.ts'
import { MongoConversations } from '../../src/store/mongo-conversations.ts'
import { MongoCursors } from '../../src/store/mongo-cursors.ts'
import { MongoLog } from '../../src/store/mongo-log.ts'
import { MongoOverviews } from '../../src/store/mongo-overviews.ts'
import { message } from '../sample.ts'
import { logger, mongoUrl } from './harness.ts'

t.setTimeout(240_000)

/** User 1: 600 personal conversations, 20 busy groups, and one group of 20,000 messages. */
const PEERS = 600
const BUSY = { groups: 20, messages: 1_200 }
const LARGE = { group: '900', messages: 20_000 }
const PER_COMMIT = 1_000

const name = `t${randomBytes(5).toString('hex')}`
const mongo = await connectMongo({ url: mongoUrl, database: name, logger })
const client = new MongoClient(mongoUrl, { monitorCommands: true, readConcern: { level: 'majority' } })
const db = client.db(name)
t.teardown(async () => {
  await db.dropDatabase()
  await client.close()
  await mongo.close()
})

const log = new MongoLog(mongo.db)
const rows = new MongoConversations(mongo.db)
const cursors = new MongoCursors(mongo.db)
const peers = Array.from({ length: PEERS }, (_, i) => personalConversation('1', String(1_000 + i)))
const groups = [...Array.from({ length: BUSY.groups }, (_, i) => String(100 + i)), LARGE.group]
await log.append(
  peers.flatMap((conversation, i) =>
    [1, 2, 3].map((seq) =>
      message({ conversation, seq, at: 1_000 + i * 10 + seq, from: String(1_000 + i), to: '1', text: 'x'.repeat(50) }),
    ),
  ),
)
for (const [i, conversation] of peers.entries()) await rows.begin([conversation], 1_003 + i * 10)
for (const group of groups) {
  const count = group === LARGE.group ? LARGE.messages : BUSY.messages
  for (let first = 1; first <= count; first += PER_COMMIT) {
    const length = Math.min(PER_COMMIT, count - first + 1)
    await log.append(
      Array.from({ length }, (_, i) =>
        message({ group, seq: first + i, at: 900_000 + first + i, from: String(2_000 + (i % 40)) }),
      ),
    )
  }
}

const memberships = groups.map((groupId) => ({ groupId, joinedAt: 1, joinedSeq: 0 }))
const ports = { overviews: new MongoOverviews(db), membership: { groupsOf: async () => memberships } }

interface Cost {
  commands: number
  keys: number
  docs: number
}

/** What one call costs MongoDB, by its own books. */
async function costOf<T>(call: () => Promise<T>): Promise<{ result: T; cost: Cost }> {
  await db.command({ profile: 0 })
  await db.dropCollection('system.profile').catch(() => {})
  await db.createCollection('system.profile', { capped: true, size: 32 * 1024 * 1024 })
  await db.command({ profile: 2 })
  const commands: string[] = []
  const note = ({ commandName }: CommandStartedEvent) => commands.push(commandName)
  client.on('commandStarted', note)
  const result = await call()
  client.off('commandStarted', note)
  await db.command({ profile: 0 })
  const entries = await db
    .collection('system.profile')
    .find({ ns: { $nin: [`${name}.system.profile`, `${name}.$cmd`] } })
    .toArray()
  t.equal(entries.length, commands.length, `all commands are in the books: ${commands.join()}`)
  const sum = (field: string) => entries.reduce((all, entry) => all + (entry[field] ?? 0), 0)
  return { result, cost: { commands: commands.length, keys: sum('keysExamined'), docs: sum('docsExamined') } }
}

const list = (after?: string) => costOf(() => listConversations(ports, '1', { after }))
const told = ({ commands, keys, docs }: Cost) => `${commands} commands, ${keys} keys, ${docs} documents`

async function readEverything() {
  const all: ConversationId[] = [...peers, ...groups.map(groupConversation)]
  const count = (one: ConversationId) =>
    one === groupConversation(LARGE.group) ? LARGE.messages : one.startsWith('g') ? BUSY.messages : 3
  await cursors.advance(
    all.map((conversation) => ({
      user: '1',
      conversation,
      deliveredSeq: count(conversation),
      readSeq: count(conversation),
    })),
  )
}

t.test('the books add up what the parts of one command examine', async (t) => {
  const { result, cost } = await costOf(() =>
    ports.overviews.places('1', {
      after: undefined,
      limit: 51,
      groups: groups.map(groupConversation),
      points: [],
    }),
  )
  t.same([result.personal.length, result.groups.length], [51, groups.length])
  t.ok(cost.keys >= 51 + groups.length, told(cost))
  t.ok(cost.keys <= 2 * (51 + groups.length), told(cost))
  t.equal(cost.docs, 0)
})

t.test('a page of the list with thousands unread costs little more than what it counts', async (t) => {
  const { result, cost } = await list()
  t.equal(result.conversations.length, 50)
  const unread = result.conversations.reduce((sum, one) => sum + one.unread, 0)
  t.equal(unread, groups.length * 999 + (50 - groups.length) * 3)
  t.ok(cost.commands <= 4, told(cost))
  t.ok(cost.keys <= unread + 10 * 50, told(cost))
  t.ok(cost.docs <= 5 * 50, told(cost))
})

t.test('any page costs the same, however many conversations there are and however long they are', async (t) => {
  let after: string | undefined
  let pages = 0
  let listed = 0
  do {
    const { result, cost } = await list(after)
    pages += 1
    listed += result.conversations.length
    t.ok(cost.commands <= 4, told(cost))
    if (pages > 1) t.ok(cost.keys <= 10 * 50 + groups.length, told(cost))
    t.ok(cost.docs <= 5 * 50, told(cost))
    after = result.next
  } while (after !== undefined)
  t.same([pages, listed], [13, PEERS + groups.length])
})

t.test('where everything is read nothing is counted', async (t) => {
  await readEverything()
  const { result, cost } = await list()
  t.ok(result.conversations.every(({ unread }) => unread === 0))
  t.equal(cost.commands, 2)
  t.ok(cost.keys <= 5 * 50 + groups.length, told(cost))
  t.ok(cost.docs <= 3 * 50, told(cost))
})

const syncFrom = (behind: (conversation: ConversationId) => number) => {
  const asked = [...groups.map(groupConversation), ...peers].slice(0, 500)
  const positions = asked.map((conversation) => ({
    sessionId: conversation.startsWith('g') ? conversation.slice(1) : undefined,
    peerUserId: conversation.startsWith('g') ? undefined : conversation.slice(3),
    seq: behind(conversation),
  }))
  return costOf(() => readSync(ports, '1', { positions, newAfter: undefined }))
}
const messagesIn = ({ positions }: OutputOf<typeof sync>) =>
  positions.reduce((sum, one) => sum + (one.status === 'messages' ? one.messages.length : 0), 0)
const countOf = (conversation: ConversationId) => {
  if (!conversation.startsWith('g')) return 3
  return conversation === groupConversation(LARGE.group) ? LARGE.messages : BUSY.messages
}

t.test('500 positions that are current cost a few keys each', async (t) => {
  const { result, cost } = await syncFrom(countOf)
  t.ok(result.positions.every(({ status }) => status === 'current'))
  t.equal(result.new.length, PEERS + groups.length - 500)
  t.ok(cost.commands <= 4, told(cost))
  t.ok(cost.keys <= 3 * (500 + result.new.length), told(cost))
  t.ok(cost.docs <= 2 * (500 + result.new.length), told(cost))
})

t.test('500 positions with little behind them cost what they bring', async (t) => {
  const { result, cost } = await syncFrom((conversation) => countOf(conversation) - 2)
  const brought = messagesIn(result)
  t.ok(brought > 500, `${brought} messages`)
  t.ok(cost.commands <= 4, told(cost))
  t.ok(cost.keys <= 3 * (500 + result.new.length + brought), told(cost))
  t.ok(cost.docs <= 2 * (500 + result.new.length + brought), told(cost))
})

t.test('500 positions with everything behind them cost what fits into the answer', async (t) => {
  const { result, cost } = await syncFrom(() => 0)
  const brought = messagesIn(result)
  t.ok(Buffer.byteLength(JSON.stringify(result)) <= 256 * 1024)
  t.ok(cost.commands <= 4, told(cost))
  t.ok(cost.keys <= 3 * (500 + result.new.length + brought), told(cost))
  t.ok(cost.docs <= 2 * (500 + result.new.length + brought), told(cost))
})

t.test('where everybody talks to everybody the cursors of others are not looked through', async (t) => {
  const users = Array.from({ length: 100 }, (_, i) => String(5_000 + i))
  const reader = users.at(-1) ?? ''
  const pairs = users.flatMap((one, i) =>
    users.slice(i + 1).map((other) => ({ one, other, conversation: personalConversation(one, other) })),
  )
  await mongo.db
    .collection('cursors')
    .insertMany(
      pairs.flatMap(({ one, other, conversation }) =>
        [one, other].map((user) => ({ user, conversation, deliveredSeq: 1, readSeq: 0 })),
      ),
    )
  const mine = pairs.filter(({ other }) => other === reader)
  await log.append(mine.map(({ one, conversation }) => message({ conversation, seq: 1, from: reader, to: one })))
  const positions = mine.map(({ one }) => ({ sessionId: undefined, peerUserId: one, seq: 0 }))
  const { result, cost } = await costOf(() =>
    readSync({ ...ports, membership: { groupsOf: async () => [] } }, reader, { positions, newAfter: undefined }),
  )
  t.ok(
    result.positions.every((one) => one.status === 'messages' && one.messages[0]?.state === 2),
    'each with the state its reader gives it',
  )
  t.ok(cost.keys <= 5 * (positions.length + messagesIn(result)), told(cost))
})

t.test('what 500 users have missed costs a few commands, and little more than what it brings', async (t) => {
  const users = peers.slice(0, 500).map((_, i) => String(1_000 + i))
  const many = {
    overviews: ports.overviews,
    log: new MongoLog(db),
    cursors: new MongoCursors(db),
    conversations: new MongoConversations(db),
    groupsInTime: { ofUsers: async () => users.map(() => []) },
  }
  await log.append(
    peers.map((conversation, i) => message({ conversation, seq: 4, at: 2_000_000, from: '1', to: String(1_000 + i) })),
  )
  const had = users.map((user, i) => ({ user, conversation: peers[i] as ConversationId, deliveredSeq: 2 }))
  await cursors.advance(had)
  const { result, cost } = await costOf(() => readBehind(many, users, true))
  t.equal(result.backlogs?.length, 500)
  t.ok(result.backlogs?.every(([, messages]) => messages.length === 1))
  t.equal(cost.commands, 5)
  t.ok(cost.keys <= 10 * 500, told(cost))
  t.ok(cost.docs <= 6 * 500, told(cost))
})
