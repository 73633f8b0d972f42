import { eventsStreamName } from '@qunxin/bus'
import { operations } from '@qunxin/contracts'
import t, { type Test } from 'tap'
import { publishing } from '../../src/outbox/publishing.ts'
import { startGroupService } from '../../src/service.ts'
import { newUsers } from '../rules/world.ts'
import { logger, ownBus, ownConfig, ownDatabase, until } from './servers.ts'

const NEVER_MS = String(2 ** 30)
const HOURS_72_NS = 72 * 3_600_000_000_000

async function open(t: Test, settings: Record<string, string> = {}) {
  const config = ownConfig({ OWNER_TIMEOUT_MS: '1', ...settings })
  const db = await ownDatabase(t, config)
  const bus = await ownBus(t, config)
  const stream = eventsStreamName(config.SUBJECT_PREFIX)
  const { streams } = await bus.jetstreamManager()
  const createGroup = async () => {
    const [user = ''] = newUsers(1)
    const { groupId } = await bus.request(operations['group.createGroup'], { groupName: '群', memberIds: [] }, { user })
    return { user, groupId }
  }
  const stored = async () => {
    const { state } = await streams.info(stream)
    const seqs = Array.from({ length: state.messages }, (_, i) => state.first_seq + i)
    return Promise.all(seqs.map((seq) => streams.getMessage(stream, { seq })))
  }
  const outboxIsEmpty = () =>
    until('the outbox is empty', async () => (await db.outbox.countDocuments({ waiting: true })) === 0)
  return { config, db, bus, stream, streams, createGroup, stored, outboxIsEmpty }
}

t.test('facts are published when they are stored, with an id, into a stream that keeps 72 hours', async (t) => {
  const { config, stream, streams, createGroup, stored, outboxIsEmpty } = await open(t, { OUTBOX_POLL_MS: NEVER_MS })
  const service = await startGroupService(config, { logger })
  t.teardown(() => service.stop())
  const { user, groupId } = await createGroup()
  await outboxIsEmpty()
  t.match((await streams.info(stream)).config, {
    subjects: [`${config.SUBJECT_PREFIX}.event.>`],
    storage: 'file',
    max_age: HOURS_72_NS,
    max_bytes: config.EVENTS_MAX_BYTES,
    discard: 'old',
  })
  const [message] = await stored()
  t.equal(message?.subject, `${config.SUBJECT_PREFIX}.event.group.created`)
  t.match(message?.header.get('Nats-Msg-Id'), new RegExp(`^${groupId}:`))
  t.match(message?.json(), { at: Number, groupId, byUserId: user, userIds: [user] })
})

t.test('a stream that was deleted is made again, with the facts of the last 10 minutes', async (t) => {
  const { config, db, stream, streams, createGroup, stored, outboxIsEmpty } = await open(t, { OUTBOX_POLL_MS: '20' })
  const service = await startGroupService(config, { logger })
  t.teardown(() => service.stop())
  const old = await createGroup()
  const early = await createGroup()
  await outboxIsEmpty()
  const elevenMinutesAgo = new Date(Date.now() - 11 * 60_000)
  await db.outbox.updateOne({ 'data.groupId': old.groupId }, { $set: { publishedAt: elevenMinutesAgo } })
  await streams.delete(stream)
  const late = await createGroup()
  await outboxIsEmpty()
  t.same(
    (await stored()).map((message) => message?.json<{ groupId: string }>().groupId).toSorted(),
    [early.groupId, late.groupId].toSorted(),
  )
})

t.test('a new stream at the start of another process has the facts of the last 10 minutes', async (t) => {
  const { config, stream, streams, createGroup, stored, outboxIsEmpty } = await open(t, { OUTBOX_POLL_MS: '20' })
  const first = await startGroupService(config, { logger })
  const { groupId } = await createGroup()
  await outboxIsEmpty()
  await first.stop()
  await streams.delete(stream)
  const second = await startGroupService(config, { logger })
  t.teardown(() => second.stop())
  const messages = () =>
    streams.info(stream).then(
      ({ state }) => state.messages,
      () => undefined,
    )
  await until('the fact to be there', async () => (await messages()) === 1)
  t.match((await stored())[0]?.json(), { groupId })
})

t.test('what is published stays for a quarter of an hour, apart from what is not', async (t) => {
  const { config, db } = await open(t)
  const service = await startGroupService(config, { logger })
  t.teardown(() => service.stop())
  const indexes = await db.outbox.indexes()
  t.match(
    indexes.find(({ key }) => key.publishedAt === 1),
    { expireAfterSeconds: 900 },
  )
  t.match(
    indexes.find(({ key }) => key.waiting === 1),
    { partialFilterExpression: { waiting: true } },
  )
})

t.test('a stream an operator has made with other settings is used as it is, but for a bound in bytes', async (t) => {
  const { config, bus, stream, streams, createGroup, stored, outboxIsEmpty } = await open(t)
  await streams.add({ name: stream, subjects: [bus.subject('event.>')], storage: 'memory' })
  const service = await startGroupService(config, { logger })
  t.teardown(() => service.stop())
  await createGroup()
  await outboxIsEmpty()
  const { storage, max_age, max_bytes } = (await streams.info(stream)).config
  t.same({ storage, max_age, max_bytes }, { storage: 'memory', max_age: 0, max_bytes: config.EVENTS_MAX_BYTES })
  t.equal((await stored()).length, 1)
})

t.test('facts a dead process left behind are published by the next one', async (t) => {
  const { config, db, stored, outboxIsEmpty } = await open(t)
  const data = { at: Date.now(), groupId: '1', byUserId: '2' }
  await db.outbox.insertOne({ _id: '1:000000000001:0', at: data.at, what: 'updated', data, waiting: true })
  const service = await startGroupService(config, { logger })
  t.teardown(() => service.stop())
  await outboxIsEmpty()
  t.same((await stored())[0]?.json(), data)
})

t.test('processes that publish the same facts at the same time leave each once in the stream', async (t) => {
  const { config, db, bus, stored } = await open(t)
  const docs = Array.from({ length: 300 }, (_, i) => {
    const data = { at: i, groupId: String(i % 7), byUserId: '2' }
    return {
      _id: `${data.groupId}:${String(i).padStart(12, '0')}:0`,
      at: i,
      what: 'updated' as const,
      data,
      waiting: true as const,
    }
  })
  await db.outbox.insertMany(docs)
  await Promise.all([1, 2, 3].map(() => publishing(bus, { config, db, logger })()))
  const facts = (await stored()).map((message) => message!.json<{ at: number; groupId: string }>())
  t.equal(facts.length, 300)
  for (const [groupId, chain = []] of Object.entries(Object.groupBy(facts, ({ groupId }) => groupId))) {
    const times = chain.map(({ at }) => at)
    t.same(
      times,
      times.toSorted((a, b) => a - b),
      `the facts of ${groupId} are in order`,
    )
  }
})
