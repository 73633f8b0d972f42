import t, { type Test } from 'tap'
import type { Message } from '../../src/domain/message.ts'
import { Watermarks } from '../../src/events/watermarks.ts'
import { type MessageDocument, toDocument } from '../../src/store/message-document.ts'
import { type MessageLog, OutcomeUnknown } from '../../src/store/message-log.ts'
import { message } from '../sample.ts'
import { eventsOf } from './events-stream.ts'
import { eventually, fakeGateway, fakeGroups, world } from './harness.ts'
import { startWriting } from './writers.ts'

t.setTimeout(240_000)
// Each has a system of its own and mostly waits for silences.
t.jobs = 4
/** A silence of 10 s, and the oplog of everybody on a busy machine. */
const PATIENCE_MS = 60_000

/** A system of its own for each test: which stream was known before matters. */
async function open(t: Test) {
  const w = await world()
  t.teardown(() => w.end())
  const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
  t.teardown(() => gateway.stop())
  const groups = fakeGroups(await w.connect('group-service'))
  const reader = await w.connect('reader')
  const events = await eventsOf(reader, w.name)
  const messages = w.db.collection<MessageDocument>('messages')
  /** Stores without telling anybody, as who dies right behind it does. */
  const storeUntold = (...seqs: number[]) =>
    messages.insertMany(seqs.map((seq) => toDocument(message({ seq, at: Date.now() + seq, group: '5', from: '1' }))))
  const send = (count: number) =>
    gateway.send(...Array.from({ length: count }, () => gateway.entry('1', { user: '2' })))
  /** Another stream has the subjects: every publication is refused, as when JetStream is away. */
  const obstruct = async () => {
    await events.streams.add({ name: `${w.name}x`, subjects: [reader.subject('event.>')], storage: 'memory' })
    return () => events.streams.delete(`${w.name}x`)
  }
  const told = async (what: string, names: readonly string[]) =>
    eventually(
      what,
      async () => {
        const there = await events.names().catch(() => new Set<string>())
        return names.every((name) => there.has(name))
      },
      PATIENCE_MS,
    )
  const noWatermarksBut = (...ids: string[]) =>
    eventually(
      `no watermarks but ${ids}`,
      async () => {
        const left = await w.db.collection<{ _id: string }>('watermarks').find().toArray()
        return left.every(({ _id }) => ids.includes(_id)) && left.length === ids.length
      },
      PATIENCE_MS,
    )
  return { w, gateway, groups, events, messages, storeUntold, send, obstruct, told, noWatermarksBut }
}

const names = (conversation: string, last: number) => Array.from({ length: last }, (_, i) => `${conversation} ${i + 1}`)

async function metric(opsUrl: string, name: string): Promise<number> {
  const metrics = await (await fetch(`${opsUrl}/metrics`)).text()
  return Number(metrics.match(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'm'))?.[1] ?? 0)
}

t.test('what was stored while JetStream was away is told when it is back', async (t) => {
  const { w, obstruct, send, told } = await open(t)
  const clear = await obstruct()
  const service = await w.start()
  await send(50)
  t.ok((await metric(service.opsUrl, 'qunxin_events_waiting')) > 0)
  await clear()
  await told('all of it', names('p1-2', 50))
  t.equal(await metric(service.opsUrl, 'qunxin_events_let_go_total'), 0)
})

t.test('what memory could not hold is read back from the log', async (t) => {
  const { w, obstruct, send, told } = await open(t)
  const clear = await obstruct()
  const service = await w.start({ EVENTS_WAITING_BYTES: '20000' })
  for (let round = 0; round < 5; round++) await send(40)
  t.ok((await metric(service.opsUrl, 'qunxin_events_let_go_total')) > 0)
  await clear()
  await told('all of it', names('p1-2', 200))
  await eventually('it to be through', async () => (await metric(service.opsUrl, 'qunxin_events_behind_seconds')) === 0)
})

t.test('a stream that is deleted while we run is made again with what was told in the last 10 minutes', async (t) => {
  const { w, send, told, events, noWatermarksBut } = await open(t)
  const service = await w.start()
  await send(30)
  await told('the first ones', names('p1-2', 30))
  await events.streams.delete(events.name)
  await send(1)
  await told('all of them', names('p1-2', 31))
  await noWatermarksBut(service.instance)
})

t.test('a stream that is new at the start gets what was told in the last 10 minutes', async (t) => {
  const { w, send, told, events } = await open(t)
  const first = await w.start()
  await send(30)
  await first.stop()
  await told('what was stored', names('p1-2', 30))
  await events.streams.delete(events.name)
  await w.start()
  await told('what was stored before', names('p1-2', 30))
})

t.test('what an instance stored and did not live to tell is told by another', async (t) => {
  const { w, storeUntold, told, noWatermarksBut } = await open(t)
  const service = await w.start()
  const watermarks = new Watermarks(w.db)
  await watermarks.renew('dead')
  await storeUntold(1, 2, 3)
  await told('what the dead one stored', names('g5', 3))
  await noWatermarksBut(service.instance)
})

t.test('reading back goes on where it was when JetStream is away for a while', async (t) => {
  const { w, storeUntold, told, noWatermarksBut, events, obstruct } = await open(t)
  const service = await w.start()
  await eventually('the stream to be there', () =>
    events.stored().then(
      () => true,
      () => false,
    ),
  )
  await new Watermarks(w.db).readBack('dead', 0)
  await storeUntold(1, 2)
  await events.streams.delete(events.name)
  const clear = await obstruct()
  await eventually('the claim', async () => {
    const documents = w.db.collection<{ _id: string; claim?: unknown }>('watermarks')
    return (await documents.findOne({ _id: 'dead' }))?.claim !== undefined
  })
  await clear()
  await told('all of it', names('g5', 2))
  await noWatermarksBut(service.instance)
})

t.test('when who reads back for the dead dies as well, the next one does', async (t) => {
  const { w, storeUntold, told, noWatermarksBut } = await open(t)
  const watermarks = new Watermarks(w.db)
  await watermarks.readBack('dead', 0)
  await storeUntold(1, 2)
  t.match(await watermarks.claim('dying'), { id: 'dead' })
  const soon = new Date(Date.now() + 2_000)
  await w.db.collection<{ _id: string }>('watermarks').updateOne({ _id: 'dead' }, { $set: { 'claim.until': soon } })
  const service = await w.start()
  await told('all of it', names('g5', 2))
  await noWatermarksBut(service.instance)
})

t.test('of rivals one has the claim; who turns out to live has its watermark back', async (t) => {
  const { w } = await open(t)
  const watermarks = new Watermarks(w.db)
  await watermarks.renew('silent')
  t.equal(await watermarks.claim('one'), undefined, 'who renewed just now lives')
  const documents = w.db.collection<{ _id: string }>('watermarks')
  await documents.updateOne({ _id: 'silent' }, { $set: { renewedAt: new Date(Date.now() - 11_000) } })
  const rivals = ['one', 'two', 'three', 'four']
  const claims = await Promise.all(rivals.map((by) => watermarks.claim(by)))
  const [winner = '', ...others] = rivals.filter((_, index) => claims[index])
  t.same(others, [])
  t.equal(await watermarks.keep('silent', winner), true)
  t.equal(await watermarks.keep('silent', 'nobody'), false)
  await watermarks.renew('silent')
  t.equal(await watermarks.keep('silent', winner), false)
  await watermarks.finish('silent', winner)
  t.equal(await documents.countDocuments(), 1, 'it lives')
})

t.test('a watermark is never ahead of the database, and stays where it is told to', async (t) => {
  const { w } = await open(t)
  const watermarks = new Watermarks(w.db)
  const now = await watermarks.renew('one')
  await watermarks.renew('one', now + 3_600_000)
  const documents = w.db.collection<{ _id: string; publishedUntil: Date; renewedAt: Date }>('watermarks')
  const ahead = await documents.findOne({ _id: 'one' })
  t.same(ahead?.publishedUntil, ahead?.renewedAt)
  await watermarks.renew('one', now - 5_000)
  t.same((await documents.findOne({ _id: 'one' }))?.publishedUntil, new Date(now - 5_000))
})

/** The log, which stores the first batch and then does not say so as it should. */
function losing(answer: () => Error) {
  let appends = 0
  return (log: MessageLog): MessageLog =>
    new Proxy(log, {
      get(target, name) {
        const member = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        if (name === 'append')
          return async (messages: readonly Message[]) => {
            const appended = await target.append(messages)
            if (appends++ > 0) return appended
            throw answer()
          }
        // Looked for before it was there.
        if (name === 'stored' && appends === 1) return async (asked: readonly Message[]) => asked.map(() => false)
        return member.bind(target)
      },
    })
}

t.test('an insert that was given up and happened all the same is told', async (t) => {
  const { w, send, told } = await open(t)
  await w.start({}, { wrapLog: losing(() => new OutcomeUnknown('the answer was lost')) })
  t.match(await send(1), [{ seq: 1 }])
  await told('it', names('p1-2', 1))
})

t.test('what a commit that failed has stored is told, also when nobody asks again', async (t) => {
  const { w, gateway, told, messages } = await open(t)
  await w.start({}, { wrapLog: losing(() => new Error('a fault of ours')) })
  gateway.publish([gateway.entry('1', { user: '2' })])
  await eventually('it to be stored', () => messages.countDocuments())
  await told('it', names('p1-2', 1))
})

t.test('nothing waits and nothing is read back over a rolling restart', async (t) => {
  const { w, groups, gateway, told, noWatermarksBut } = await open(t)
  let services = [await w.start(), await w.start()]
  groups.create('6', '1', '2')
  const writers = startWriting(['1', '2'].map((from) => ({ gateway, from, to: { group: '6' } })))
  await writers.more('before')
  let recovered = 0
  for (let round = 0; round < 3; round++) {
    const next = await w.start()
    const [oldest, ...rest] = services
    services = [...rest, next]
    recovered += await metric(oldest!.opsUrl, 'qunxin_events_recovered_total')
    await oldest!.stop()
    await writers.more('by the others')
  }
  const written = await writers.end()
  await told(
    'everything',
    names(
      'g6',
      written.reduce((sum, { sent }) => sum + sent.length, 0),
    ),
  )
  for (const { opsUrl } of services) recovered += await metric(opsUrl, 'qunxin_events_recovered_total')
  t.equal(recovered, 0)
  await noWatermarksBut(...services.map(({ instance }) => instance))
})
