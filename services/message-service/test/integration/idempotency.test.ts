import t from 'tap'
import { MongoLog } from '../../src/store/mongo-log.ts'
import { message } from '../sample.ts'
import { eventually, fakeGateway, fakeGroups, tappedLog, world } from './harness.ts'

const w = await world()
t.teardown(() => w.end())
const { calls, wrapLog } = tappedLog()
let service = await w.start({}, { wrapLog })
const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
t.teardown(() => gateway.stop())
const groups = fakeGroups(await w.connect('group-service'))
const count = (conversation: string) => w.db.collection('messages').countDocuments({ conversation })

t.test('after a restart the same msgId answers the original, near the tail and far behind it', async (t) => {
  const sends = Array.from({ length: 450 }, () => gateway.entry('1', { user: '2' }))
  const answers = await gateway.send(...sends)
  await service.stop()
  service = await w.start({}, { wrapLog })
  for (const index of [0, 100, 449]) {
    const { id: _, ...send } = sends[index]!
    const { id: __, ...original } = answers[index]!
    const five = Array.from({ length: 5 }, () => ({ ...gateway.entry('1', { user: '2' }), ...send }))
    for (const answer of await gateway.send(...five)) t.match(answer, { ...original, duplicate: true })
  }
  t.equal(await count('p1-2'), 450)
})

t.test('a msgId far behind the tail is refused with other content, and what stands behind it is stored', async (t) => {
  const reused = { ...gateway.entry('1', { user: '2' }), msgId: `m-node-1-1`, text: 'something else' }
  const next = gateway.entry('1', { user: '2' })
  t.match(await gateway.send(reused, next), [{ code: 'MSG_ID_REUSED' }, { seq: 451 }])
})

t.test('a storm of resends from far behind the tail costs a few writes, not one each', async (t) => {
  const resends = Array.from({ length: 200 }, (_, i) => {
    const number = i + 1
    return { ...gateway.entry('1', { user: '2' }), msgId: `m-node-1-${number}`, text: `text ${number}` }
  })
  calls.length = 0
  const answers = await gateway.send(...resends)
  t.same(
    answers.map((answer) => 'seq' in answer && answer.seq),
    resends.map((_, i) => i + 1),
  )
  t.ok(answers.every((answer) => 'duplicate' in answer))
  t.ok(calls.filter((call) => call === 'append').length <= 3, calls.join(', '))
})

t.test('a kicked member’s resend is answered with the original, near the tail and far behind it', async (t) => {
  groups.create('5', '1', '2')
  const near = gateway.entry('2', { group: '5' })
  const [original] = await gateway.send(near)
  const kick = async () => {
    const version = groups.store('5', { removed: ['2'] })
    await groups.tell({ groupId: '5', version, removed: ['2'] })
  }
  await kick()
  t.match(await gateway.send(gateway.entry('2', { group: '5' })), [{ code: 'NOT_A_MEMBER' }])
  const resend = { ...near, id: gateway.entry('2', { group: '5' }).id }
  t.match(await gateway.send(resend), [{ seq: (original as { seq: number }).seq, duplicate: true }])
  await gateway.send(...Array.from({ length: 500 }, () => gateway.entry('1', { group: '5' })))
  const later = { ...near, id: gateway.entry('2', { group: '5' }).id }
  t.match(await gateway.send(later), [{ seq: (original as { seq: number }).seq, duplicate: true }])
})

t.test('what was stored but not sent out before a crash reaches its receivers with the resend', async (t) => {
  const crashed = gateway.entry('61', { user: '62' })
  const at = Date.now() - 30_000
  const stored = message({ conversation: 'p61-62', from: '61', to: '62', msgId: crashed.msgId, text: crashed.text, at })
  await new MongoLog(w.db).append([stored])
  t.match(await gateway.send(crashed), [{ seq: 1, at, duplicate: true }])
  const [seen] = gateway.messages('p61-62')
  t.match(seen, {
    item: { again: { from: '61', msgId: crashed.msgId } },
    frame: { data: { seq: 1, serverReceiveDate: at } },
  })
})

t.test('what a dead owner has just stored goes out again in front of the next message', async (t) => {
  const at = Date.now() - 1_000
  const stored = [1, 2].map((seq) => message({ conversation: 'p71-72', from: '71', to: '72', seq, at: at + seq }))
  await new MongoLog(w.db).append(stored)
  t.match(await gateway.send(gateway.entry('72', { user: '71' })), [{ seq: 3 }])
  const seen = await eventually(
    'three frames',
    () => gateway.messages('p71-72').length === 3 && gateway.messages('p71-72'),
  )
  t.same(
    seen.map(({ item }) => [item.seq, item.again?.msgId]),
    [
      [1, 'm1'],
      [2, 'm2'],
      [3, undefined],
    ],
  )
})

t.test('an old message is not sent out again by a resend', async (t) => {
  const old = gateway.entry('81', { user: '82' })
  const at = Date.now() - 120_000
  await new MongoLog(w.db).append([
    message({ conversation: 'p81-82', from: '81', to: '82', msgId: old.msgId, text: old.text, at }),
  ])
  t.match(await gateway.send(old), [{ seq: 1, duplicate: true }])
  t.same(gateway.messages('p81-82'), [])
})
