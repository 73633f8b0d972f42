import { setTimeout as delay } from 'node:timers/promises'
import { EVENT_LIMITS, type MessageFact } from '@qunxin/contracts'
import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import type { Event } from '../../src/events/event-writer.ts'
import { EventRelay, type RelayOptions } from '../../src/events/relay.ts'
import { message } from '../sample.ts'

const messages = (count: number, text = 'hi') => Array.from({ length: count }, (_, i) => message({ seq: i + 1, text }))

function setup(options: Partial<RelayOptions> = {}) {
  const events: Event[] = []
  const counted: Record<string, number> = { stored: 0, offline: 0, letGo: 0 }
  const count = (what: string, facts: number) => {
    counted[what] = (counted[what] ?? 0) + facts
  }
  const relay = new EventRelay({
    publish: async (event) => void events.push(event),
    limitBytes: 1_000_000_000,
    clock: { now: () => 1_000_000 },
    metrics: {
      eventsPublished: (what: MessageFact, facts) => count(what, facts),
      eventsLetGo: (facts) => count('letGo', facts),
    },
    logger: createLogger('test', 'silent'),
    ...options,
  })
  const facts = (what: MessageFact) =>
    events.filter((event) => event.what === what).flatMap(({ payload }) => JSON.parse(`${Buffer.from(payload)}`))
  return { relay, events, counted, facts }
}

t.test('what comes in a short time goes out in one event, in order', async (t) => {
  const { relay, events, facts } = setup()
  relay.stored(messages(2), 5)
  relay.stored([message({ seq: 3 })], 6)
  t.equal(relay.waiting, 3)
  t.equal(relay.unpublishedSince, 5)
  await relay.idle()
  t.equal(events.length, 1)
  t.same(
    facts('stored').map(({ seq }) => seq),
    [1, 2, 3],
  )
  t.equal(relay.unpublishedSince, Number.POSITIVE_INFINITY)
})

t.test('no event is larger than its limits, and nothing is left out', async (t) => {
  const { relay, events, facts, counted } = setup()
  relay.stored(messages(500, '汉'.repeat(2_000)))
  const users = Array.from({ length: 1_200 }, (_, i) => `${i}`)
  relay.offline(message(), users, ['3', '1100'])
  for (let seq = 2; seq <= 4; seq++) relay.offline(message({ seq }), users.slice(0, 200))
  await relay.idle()
  t.equal(facts('stored').length, 500)
  t.same(counted, { stored: 500, offline: 6, letGo: 0 })
  t.ok(events.every(({ payload }) => payload.length <= EVENT_LIMITS.bytes))
  const offline = events
    .filter(({ what }) => what === 'offline')
    .map(({ payload }) => JSON.parse(`${Buffer.from(payload)}`))
  const usersIn = (event: { userIds: string[] }[]) => event.reduce((sum, { userIds }) => sum + userIds.length, 0)
  t.ok(offline.every((event) => usersIn(event) <= EVENT_LIMITS.offlineUsers))
  t.same(
    facts('offline')
      .filter(({ seq }) => seq === 1)
      .flatMap(({ userIds }) => userIds),
    users,
  )
  t.same(
    facts('offline').map(({ mutedUserIds }) => mutedUserIds),
    [['3'], undefined, ['1100'], undefined, undefined, undefined],
  )
})

t.test('the same facts have the same id, others another', async (t) => {
  const [one, other] = [setup(), setup()]
  one.relay.stored(messages(3))
  other.relay.stored(messages(2))
  other.relay.stored([message({ seq: 3, text: 'hi' })])
  await Promise.all([one.relay.idle(), other.relay.idle()])
  t.same(one.events, other.events)
  other.relay.stored([message({ seq: 4 })])
  await other.relay.idle()
  t.not(other.events[1]?.id, one.events[0]?.id)
})

t.test('what is refused is tried again, and counts as unpublished until it is taken', async (t) => {
  let refusals = 3
  const taken: Event[] = []
  const publish = async (event: Event) => {
    if (refusals-- > 0) throw new Error('no')
    taken.push(event)
  }
  const { relay, counted } = setup({ publish })
  relay.stored(messages(2), 7)
  while (refusals > 2) await delay(5)
  t.equal(relay.unpublishedSince, 7)
  await relay.idle()
  t.equal(taken.length, 1)
  t.equal(counted.stored, 2)
})

t.test('above its bound all of it is let go and doubted, and what comes later goes out again', async (t) => {
  let away = true
  const taken: Event[] = []
  const publish = async (event: Event) => {
    if (away) throw new Error('away')
    taken.push(event)
  }
  const { relay, counted } = setup({ publish, limitBytes: 10_000 })
  relay.stored(messages(20), 7)
  relay.stored(messages(10), 9)
  t.equal(counted.letGo, 30)
  t.equal(relay.waiting, 0)
  t.equal(relay.unpublishedSince, 7)
  away = false
  relay.stored([message({ seq: 99 })], 11)
  await relay.idle()
  t.equal(taken.length, 1)
  t.equal(relay.unpublishedSince, 7, 'until it is read back')
})

t.test('what was doubted is taken to be read back after a while, and is doubted again when that fails', async (t) => {
  const { relay } = setup()
  relay.doubted(7)
  t.equal(relay.doubt.take(), undefined, 'too early')
  const { now } = performance
  performance.now = () => now.call(performance) + 11_000
  t.teardown(() => {
    performance.now = now
  })
  t.equal(relay.doubt.take(), 7)
  relay.doubted(9)
  t.equal(relay.unpublishedSince, 7)
  relay.doubt.settle(true)
  t.equal(relay.unpublishedSince, 9)
  performance.now = () => now.call(performance) + 30_000
  t.equal(relay.doubt.take(), 9)
  relay.doubt.settle(false)
  t.equal(relay.unpublishedSince, 9)
})

t.test('handing in costs next to nothing: nothing is written in the turn of the commit', async (t) => {
  let written = 0
  const counting = messages(1_000).map((one) => ({
    ...one,
    get msgId() {
      written += 1
      return 'm'
    },
  }))
  const { relay } = setup()
  relay.stored(counting)
  t.equal(written, 0)
  await relay.idle()
  t.equal(written, 1_000)
})
