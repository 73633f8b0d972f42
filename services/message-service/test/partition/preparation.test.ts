import { createLogger, systemClock } from '@qunxin/runtime'
import t from 'tap'
import { MembershipCache } from '../../src/membership/cache.ts'
import { Conversation } from '../../src/partition/conversation.ts'
import { Preparation } from '../../src/partition/preparation.ts'
import { Tenures } from '../../src/partition/tenures.ts'
import { SETTLING_MS } from '../../src/preferences/settling.ts'
import { MemoryConversations } from '../../src/store/memory-conversations.ts'
import { MemoryLog } from '../../src/store/memory-log.ts'
import type { Preference } from '../../src/store/preferences.ts'
import { groupsOf, message } from '../sample.ts'

const blocked: Preference = { user: '2', conversation: 'p1-2', version: 1, blocked: true, muted: false }

/** An owner for `ageMs`; resolves what is asked for as it becomes ready. */
function owner(ageMs: number, log = new MemoryLog()) {
  const ownedSince = performance.now() - ageMs
  const rows: Preference[] = []
  let readings = 0
  const ready = Promise.withResolvers<Conversation>()
  const preparation = new Preparation(
    {
      log,
      conversations: new MemoryConversations(),
      membership: new MembershipCache(groupsOf({ version: 1, members: [] }), { mostMembers: 1 }),
      preferences: {
        async of() {
          readings += 1
          return [...rows]
        },
      },
      ownedSince: () => ownedSince,
      tenures: new Tenures(systemClock),
      clock: systemClock,
      logger: createLogger('test', 'silent'),
    },
    { ready: ready.resolve, again() {} },
  )
  const settled = async () => {
    while (performance.now() < ownedSince + SETTLING_MS) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return { preparation, rows, ready: ready.promise, readings: () => readings, settled }
}

t.test('an owner of long standing reads once what the users of a conversation want', async (t) => {
  const { preparation, rows, ready, readings } = owner(SETTLING_MS)
  rows.push(blocked)
  const conversation = new Conversation('p1-2', 0)
  t.equal(preparation.isReady(conversation, undefined), false)
  t.equal(await ready, conversation)
  t.equal(preparation.isReady(conversation, undefined), true)
  t.equal(conversation.isBlocked('1'), true)
  t.equal(readings(), 1)
})

t.test('a new owner goes by what it read, and reads it once more when nobody else acts any longer', async (t) => {
  const { preparation, rows, ready, readings, settled } = owner(SETTLING_MS - 100)
  const conversation = new Conversation('p1-2', 0)
  preparation.isReady(conversation, undefined)
  await ready
  t.equal(preparation.isReady(conversation, undefined), true)
  t.equal(readings(), 1)
  // Stored by the owner before, whom nobody had told of us.
  rows.push(blocked)
  await settled()
  t.equal(preparation.isReady(conversation, undefined), false)
  while (!preparation.isReady(conversation, undefined)) await new Promise((resolve) => setTimeout(resolve, 1))
  t.equal(conversation.isBlocked('1'), true)
  t.equal(readings(), 2)
})

t.test('a new owner refuses nobody while another may still be storing what it would refuse', async (t) => {
  const { preparation, rows, readings, settled } = owner(SETTLING_MS - 100)
  rows.push(blocked)
  const conversation = new Conversation('p1-2', 0)
  const isReady = () => preparation.isReady(conversation, undefined)
  isReady()
  while (readings() < 1) await new Promise((resolve) => setImmediate(resolve))
  t.equal(isReady(), false)
  await settled()
  while (!isReady()) await new Promise((resolve) => setTimeout(resolve, 1))
  t.ok(readings() >= 2)
})

t.test('of conversations that are loaded together a few at a time have what may be untold read', async (t) => {
  const log = new MemoryLog()
  let reading = 0
  let most = 0
  const newest = log.newest.bind(log)
  log.newest = async (...args) => {
    most = Math.max(most, ++reading)
    await new Promise((resolve) => setImmediate(resolve))
    reading -= 1
    return newest(...args)
  }
  const conversations = Array.from({ length: 200 }, (_, i) => new Conversation(`p1-${i + 2}`, 0))
  await log.append(conversations.map(({ id }) => message({ conversation: id, seq: 1, at: Date.now() })))
  const { preparation } = owner(SETTLING_MS, log)
  await Promise.all(conversations.map((conversation) => preparation.tail(conversation)))
  t.ok(conversations.every(({ position }) => position?.seq === 1))
  t.equal(most, 32)
})
