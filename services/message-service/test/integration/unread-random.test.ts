import { randomBytes, randomInt } from 'node:crypto'
import { type ConversationId, peerOf, UNREAD_MOST } from '@qunxin/contracts'
import t from 'tap'
import type { Message } from '../../src/domain/message.ts'
import { listConversations } from '../../src/reads/conversation-list.ts'
import { connectMongo } from '../../src/store/mongo.ts'
import { MongoConversations } from '../../src/store/mongo-conversations.ts'
import { MongoCursors } from '../../src/store/mongo-cursors.ts'
import { MongoLog } from '../../src/store/mongo-log.ts'
import { MongoOverviews } from '../../src/store/mongo-overviews.ts'
import { message } from '../sample.ts'
import { logger, mongoUrl } from './harness.ts'

t.setTimeout(120_000)
const seed = Number(process.env.SEED ?? randomInt(2 ** 31))
const mongo = await connectMongo({ url: mongoUrl, database: `t${randomBytes(5).toString('hex')}`, logger })
t.teardown(async () => {
  await mongo.db.dropDatabase()
  await mongo.close()
})

/** Numbers from a seed (mulberry32). */
function drawing(from: number) {
  let state = from
  return (below: number) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}
const draw = drawing(seed)
const log = new MongoLog(mongo.db)
const rows = new MongoConversations(mongo.db)
const cursors = new MongoCursors(mongo.db)

/** Entries by some users, user 1 among them: messages, and now and then a recall or an edit of one of one's own. */
function talk(conversation: ConversationId, authors: readonly string[], length: number): Message[] {
  const entries: Message[] = []
  for (let seq = 1; seq <= length; seq++) {
    const from = authors[draw(authors.length)] as string
    const group = conversation.startsWith('g') ? { group: conversation.slice(1) } : {}
    const to = 'group' in group ? {} : { to: peerOf(conversation, from) as string }
    const own = entries.filter((one) => one.from === from && !one.change).slice(-8)
    const target = draw(5) === 0 ? own[draw(own.length)] : undefined
    const change = target && {
      kind: draw(2) ? ('recall' as const) : ('edit' as const),
      seq: target.seq,
      msgId: target.msgId,
    }
    entries.push(message({ conversation, seq, at: 1_000 + seq * 3, from, ...group, ...to, ...(change && { change }) }))
  }
  return entries
}

t.test(`unread, the last message and the cursors are what one would count by hand (SEED=${seed})`, async (t) => {
  const groups = Array.from({ length: 20 }, (_, i) => String(500 + i))
  const peers = Array.from({ length: 20 }, (_, i) => String(100 + i))
  const memberships = groups.map((groupId) => ({
    groupId,
    joinedAt: 1_000 + draw(200),
    ...(draw(2) && { joinedSeq: draw(40) }),
  }))
  const expected = new Map<string, { unread: number; last: number | undefined; readSeq: number }>()
  for (const name of [...groups, ...peers]) {
    const membership = memberships.find(({ groupId }) => groupId === name)
    const conversation = membership ? `g${name}` : `p1-${name}`
    const entries = talk(
      conversation,
      membership ? ['1', '2', '3', '4'] : ['1', name],
      draw(6) ? 1 + draw(80) : 1_300 + draw(600),
    )
    if (!membership) await rows.begin([conversation], 1_000)
    for (let at = 0; at < entries.length; at += 500) await log.append(entries.slice(at, at + 500))
    const read = draw(2) ? draw(entries.length + 1) : 0
    await cursors.advance([{ user: '1', conversation, deliveredSeq: read, readSeq: read }])
    const joinedSeq = membership?.joinedSeq ?? entries.filter(({ at }) => at <= (membership?.joinedAt ?? 0)).length
    const readSeq = Math.max(read, membership ? joinedSeq : 0)
    const recalled = new Set(entries.flatMap(({ change }) => (change?.kind === 'recall' ? [change.seq] : [])))
    const unread = entries.filter(
      ({ seq, from, change }) => seq > readSeq && from !== '1' && !change && !recalled.has(seq),
    )
    const last = entries.findLast(({ change }) => !change)?.seq
    expected.set(name, { unread: Math.min(UNREAD_MOST, unread.length), last, readSeq })
  }
  const ports = { overviews: new MongoOverviews(mongo.db), membership: { groupsOf: async () => memberships } }
  const found = new Map<string, unknown>()
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const page = await listConversations(ports, '1', { after })
    for (const { sessionId, peerUserId, unread, lastMessage, readSeq } of page.conversations)
      found.set(sessionId || String(peerUserId), { unread, last: lastMessage?.seq, readSeq })
    after = page.next
  }
  for (const [name, entry] of expected) t.same(found.get(name), entry, name)
  t.equal(found.size, expected.size)
})
