import t from 'tap'
import { OutcomeUnknown } from '../../src/store/message-log.ts'
import { MongoLog } from '../../src/store/mongo-log.ts'
import { message } from '../sample.ts'
import { eventually, fakeGateway, fakeGroups, tappedLog, world } from './harness.ts'

const w = await world()
t.teardown(() => w.end())
const { calls, hooks, stallNextAppend, wrapLog } = tappedLog()
const service = await w.start({ QUEUE_LIMIT: '50' }, { wrapLog })
const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
t.teardown(() => gateway.stop())
fakeGroups(await w.connect('group-service'))
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)
const stored = (conversation: string) => w.db.collection('messages').find({ conversation }).sort({ _id: 1 }).toArray()

t.test('both users have a stranger’s conversation before its first message is stored', async (t) => {
  let rows = 0
  hooks.beforeAppend = async () => {
    rows = await w.db.collection('conversations').countDocuments({ conversation: 'p1-2' })
  }
  await gateway.send(gateway.entry('1', { user: '2' }))
  delete hooks.beforeAppend
  t.equal(rows, 2)
})

t.test('a write whose confirmation is lost is read back: answered once, stored once, as new', async (t) => {
  hooks.afterAppend = async () => {
    delete hooks.afterAppend
    throw new OutcomeUnknown('the reply was lost')
  }
  const sends = upTo(5).map(() => gateway.entry('11', { user: '12' }))
  const answers = await gateway.send(...sends)
  t.same(
    answers.map((answer) => ({ ...answer, id: 0, at: 0 })),
    upTo(5).map((seq) => ({ id: 0, at: 0, seq })),
  )
  t.equal((await stored('p11-12')).length, 5)
  t.same(
    gateway.messages('p11-12').map(({ item }) => [item.seq, item.again]),
    upTo(5).map((seq) => [seq, undefined]),
  )
})

t.test('a write that did not happen is done again in the same order', async (t) => {
  hooks.beforeAppend = async () => {
    delete hooks.beforeAppend
    throw new OutcomeUnknown('the connection broke')
  }
  const sends = upTo(5).map(() => gateway.entry('21', { user: '22' }))
  t.match(
    await gateway.send(...sends),
    upTo(5).map((seq) => ({ seq })),
  )
  t.same(
    (await stored('p21-22')).map(({ msgId }) => msgId),
    sends.map(({ msgId }) => msgId),
  )
})

t.test('a write that happened in part is completed, nothing twice', async (t) => {
  await gateway.send(gateway.entry('31', { user: '32' }))
  const sends = upTo(4).map(() => gateway.entry('31', { user: '32' }))
  hooks.beforeAppend = async (messages) => {
    delete hooks.beforeAppend
    await new MongoLog(w.db).append(messages.slice(0, 2))
    throw new OutcomeUnknown('the primary stepped down')
  }
  t.match(
    await gateway.send(...sends),
    upTo(4).map((i) => ({ seq: i + 1 })),
  )
  t.same(
    (await stored('p31-32')).slice(1).map(({ msgId }) => msgId),
    sends.map(({ msgId }) => msgId),
  )
})

t.test('nothing counts, not even a duplicate key, while a write-concern error stands beside it', async (t) => {
  // Two copies cannot be had of one node: the write is done and the concern is not met.
  const unmet = new MongoLog(w.db, { w: 2, wtimeout: 100 })
  const first = message({ conversation: 'p41-42' })
  await t.rejects(unmet.append([first]), OutcomeUnknown)
  t.same(await new MongoLog(w.db).stored([first]), [true])
  await t.rejects(unmet.append([message({ conversation: 'p41-43' }), first]), OutcomeUnknown)
})

t.test('a message the database will not take is refused in the end, and holds up nobody for good', async (t) => {
  const validator = { text: { $ne: 'poison' } }
  await w.db.command({ collMod: 'messages', validator })
  t.teardown(() => w.db.command({ collMod: 'messages', validator: {} }))
  const sends = ['before', 'poison', 'after'].map((text) => gateway.entry('46', { user: '47' }, { text }))
  t.match(await gateway.send(...sends), [{ seq: 1 }, { code: 'INTERNAL' }, { seq: 2 }])
  t.same(
    (await stored('p46-47')).map(({ text }) => text),
    ['before', 'after'],
  )
})

t.test('above the bound of waiting sends a batch is refused at once, as a whole', async (t) => {
  const stall = stallNextAppend()
  const taken = upTo(40).map(() => gateway.entry('51', { user: '52' }))
  gateway.publish(taken)
  await stall.reached
  const refused = upTo(11).map(() => gateway.entry('51', { user: '52' }))
  gateway.publish(refused)
  for (const { id } of refused) t.match(await gateway.answer(id), { code: 'UNAVAILABLE' })
  stall.release()
  for (const [i, { id }] of taken.entries()) t.match(await gateway.answer(id), { seq: i + 1 })
  t.equal((await stored('p51-52')).length, 40)
})

t.test('a repeat of the batch under way is not worked on twice', async (t) => {
  const stall = stallNextAppend()
  const send = gateway.entry('61', { user: '62' })
  gateway.publish([send], { batch: 1_000_000 })
  await stall.reached
  gateway.publish([send], { batch: 1_000_000 })
  gateway.publish([gateway.entry('61', { user: '62' })], { batch: 999_999 })
  stall.release()
  t.match(await gateway.answer(send.id), { seq: 1 })
  gateway.publish([send], { batch: 1_000_000 })
  await eventually('the answered batch to be looked at again', () => gateway.messages('p61-62').length === 2)
  t.match(gateway.messages('p61-62')[1], { item: { again: { msgId: send.msgId } } })
  t.equal((await stored('p61-62')).length, 1)
})

t.test('after the event loop has stood still, tails are read again before the next commit', async (t) => {
  await gateway.send(gateway.entry('71', { user: '72' }))
  await new MongoLog(w.db).append([
    message({ conversation: 'p71-72', from: '72', to: '71', seq: 2, at: Date.now() + 10 }),
  ])
  calls.length = 0
  const send = gateway.entry('71', { user: '72' })
  gateway.publish([send])
  // Looked after twice a second, one of more than 1.5 s is noticed for certain.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_600)
  const [answer] = await gateway.send(send)
  t.match(answer, { seq: 3 })
  t.notOk(calls.includes('appended 0/1'), `no write met a taken seq: ${calls.join(', ')}`)
  t.ok(calls.indexOf('tail') < calls.indexOf('append'))
  const metrics = await (await fetch(`${service.opsUrl}/metrics`)).text()
  t.match(metrics, /qunxin_caches_dropped_total\{cause="stall",service="message-service"\} 1/)
})

t.test('sends that waited when the caches were dropped are taken again when they come again', async (t) => {
  const stall = stallNextAppend()
  const first = gateway.send(gateway.entry('81', { user: '82' }))
  await stall.reached
  const waiting = gateway.send(...upTo(3).map(() => gateway.entry('81', { user: '82' })))
  await gateway.flush()
  service.dropCaches('nats')
  stall.release()
  t.match(await first, [{ seq: 1 }])
  t.match(
    await waiting,
    upTo(3).map((i) => ({ seq: i + 1 })),
  )
  t.equal((await stored('p81-82')).length, 4)
})
