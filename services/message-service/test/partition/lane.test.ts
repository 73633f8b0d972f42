import { decodeDelivery, groupConversation } from '@qunxin/contracts'
import { createLogger, systemClock } from '@qunxin/runtime'
import t from 'tap'
import type { Message } from '../../src/domain/message.ts'
import { noEvents } from '../../src/events/message-events.ts'
import { Fanout } from '../../src/fanout/fanout.ts'
import { everywhere } from '../../src/fanout/routes.ts'
import { MembershipCache } from '../../src/membership/cache.ts'
import { Conversation } from '../../src/partition/conversation.ts'
import { Lane } from '../../src/partition/lane.ts'
import { pendingOf } from '../../src/partition/pending.ts'
import { Tenures } from '../../src/partition/tenures.ts'
import { MemoryConversations } from '../../src/store/memory-conversations.ts'
import { MemoryLog } from '../../src/store/memory-log.ts'
import { audiencesBy, entry, groupsOf, message, run } from '../sample.ts'

const nowhere = everywhere(() => [])

const logger = createLogger('test', 'silent')

t.test('nobody gets into a group in the moment in which what is known of its members lapses', async (t) => {
  let now = 0
  const membership = new MembershipCache(groupsOf({ version: 1, members: ['1'] }), { mostMembers: 100, now: () => now })
  const fresh = membership.fresh.bind(membership)
  membership.fresh = (group) => {
    const members = fresh(group)
    now += 201
    return members
  }
  const answered = Promise.withResolvers<unknown>()
  const fanout = new Fanout({
    instance: 'i',
    routes: nowhere,
    audiences: audiencesBy(nowhere),
    membersNow: async () => new Set(['1']),
    behind: () => new Set(),
    connected: async () => {},
    absences: { look() {} },
    publish: (publication) => {
      if ('node' in publication) answered.resolve(decodeDelivery(publication.payload).delivery.items[0])
    },
    logger,
  })
  const log = new MemoryLog()
  const lane = new Lane({
    log,
    conversations: new MemoryConversations(),
    membership,
    fanout,
    preferences: { of: async () => [] },
    ownedSince: () => 0,
    tenures: new Tenures(systemClock),
    limits: { textLength: 5_000 },
    clock: systemClock,
    logger,
    stored() {},
    metrics: { committed() {} },
    events: noEvents,
    standing: () => undefined,
    beforeCommit() {},
  })
  const conversation = new Conversation(groupConversation('5'), 0)
  const { to: _, ...send } = entry('9', '2', { conversation: conversation.id, group: '5' })
  lane.enqueue(conversation, pendingOf(send, run('n')))
  t.match(await answered.promise, { answer: { code: 'NOT_A_MEMBER' } })
  t.same(await log.heads([conversation.id]), [])
})

t.test('a message being stored or sent out is known to be untold, until it is out', async (t) => {
  const [storing, stored] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const [sending, sent] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const log = new MemoryLog()
  const append = log.append.bind(log)
  log.append = async (messages) => {
    storing.resolve()
    await stored.promise
    return append(messages)
  }
  const fanout = new Fanout({
    instance: 'i',
    routes: nowhere,
    audiences: audiencesBy(nowhere),
    membersNow: async () => new Set(),
    behind: () => new Set(),
    connected: () => {
      sending.resolve()
      return sent.promise
    },
    absences: { look() {} },
    publish() {},
    logger,
  })
  const clock = { ms: 1_000, now: () => clock.ms }
  const lane = new Lane({
    log,
    conversations: new MemoryConversations(),
    membership: new MembershipCache(groupsOf({ version: 1, members: [] }), { mostMembers: 100 }),
    fanout,
    preferences: { of: async () => [] },
    ownedSince: () => 0,
    tenures: new Tenures(clock),
    limits: { textLength: 5_000 },
    clock,
    logger,
    stored() {},
    metrics: { committed() {} },
    events: noEvents,
    standing: () => undefined,
    beforeCommit() {},
  })
  t.equal(lane.untoldSince, Number.POSITIVE_INFINITY)
  const send = entry('1', '2')
  lane.enqueue(new Conversation(send.conversation, 0), pendingOf(send, run('n')))
  await storing.promise
  clock.ms = 4_000
  t.equal(lane.untoldSince, 1_000, 'while it is being stored')
  stored.resolve()
  await sending.promise
  t.equal(lane.untoldSince, 1_000, 'while its fan-out waits')
  sent.resolve()
  await lane.idle()
  t.equal(lane.untoldSince, Number.POSITIVE_INFINITY)
})

t.test('of an edit that meets a recall no event has the text, and until then it is known to be untold', async (t) => {
  const log = new MemoryLog()
  const target = message({ seq: 1, text: 'secret' })
  const change = { kind: 'recall', seq: 1, msgId: target.msgId } as const
  const recall = message({ seq: 2, msgId: 'recall:1', text: '', change })
  await log.append([target, recall])
  await log.applyChanges([recall])
  const [applying, applied] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const applyChanges = log.applyChanges.bind(log)
  log.applyChanges = async (changes) => {
    applying.resolve()
    await applied.promise
    return applyChanges(changes)
  }
  const told: Message[] = []
  const lane = new Lane({
    log,
    conversations: new MemoryConversations(),
    membership: new MembershipCache(groupsOf({ version: 1, members: [] }), { mostMembers: 100 }),
    fanout: new Fanout({
      instance: 'i',
      routes: nowhere,
      audiences: audiencesBy(nowhere),
      membersNow: async () => new Set(),
      behind: () => new Set(),
      connected: async () => {},
      absences: { look() {} },
      publish() {},
      logger,
    }),
    preferences: { of: async () => [] },
    ownedSince: () => 0,
    tenures: new Tenures(systemClock),
    limits: { textLength: 5_000 },
    clock: systemClock,
    logger,
    stored() {},
    metrics: { committed() {} },
    events: { ...noEvents, stored: (messages) => told.push(...messages) },
    standing: () => undefined,
    beforeCommit() {},
  })
  const conversation = new Conversation(target.conversation, 0)
  conversation.take(await log.tail(conversation.id, 100))
  conversation.preferencesAt = performance.now()
  const edit = entry('1', '2', { msgId: 'e', text: 'secret again', change: { ...change, kind: 'edit' } })
  lane.enqueue(conversation, pendingOf(edit, run('n')))
  await applying.promise
  t.ok(lane.untoldSince <= Date.now())
  t.same(told, [])
  applied.resolve()
  await lane.idle()
  t.match(told, [{ seq: 3, msgId: 'e', text: '', change: { kind: 'edit', seq: 1 } }])
  t.equal(told.length, 1)
})
