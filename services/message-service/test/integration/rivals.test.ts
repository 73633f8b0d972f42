import t from 'tap'
import { type MessageDocument, toDocument } from '../../src/store/message-document.ts'
import { message } from '../sample.ts'
import { eventually, fakeGateway, fakeGroups, world } from './harness.ts'

// Two systems that do not see each other on NATS but share a database: each instance believes that it owns every partition.
const w = await world()
t.teardown(() => w.end())
const other = `${w.name}x`
await Promise.all([w.start(), w.start({ SUBJECT_PREFIX: other })])
const one = await fakeGateway(await w.connect('gateway-1'), 'node-1')
const two = await fakeGateway(await w.connect('gateway-2', other), 'node-2')
t.teardown(() => {
  one.stop()
  two.stop()
})
const groups = [fakeGroups(await w.connect('groups-1')), fakeGroups(await w.connect('groups-2', other))]
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)
const stored = (conversation: string) => w.db.collection('messages').find({ conversation }).sort({ _id: 1 }).toArray()

t.test('two owners of a partition at once: every message once, seq without a hole, each answer true', async (t) => {
  for (const each of groups) each.create('5', ...upTo(10).map(String))
  const write = async (gateway: typeof one, writer: string) => {
    const seqs: number[] = []
    for (let round = 0; round < 10; round++) {
      const answers = await gateway.send(...upTo(4).map(() => gateway.entry(writer, { group: '5' })))
      for (const answer of answers) seqs.push((answer as { seq: number }).seq)
    }
    return { writer, seqs }
  }
  const written = await Promise.all(upTo(10).map((i) => write(i % 2 === 0 ? one : two, String(i))))
  const log = await stored('g5')
  t.same(
    log.map(({ _id }) => Number(String(_id).slice(-16))),
    upTo(400),
  )
  for (const { writer, seqs } of written) {
    const own = log.flatMap(({ from }, i) => (from === writer ? [i + 1] : []))
    t.same(seqs, own, `${writer} was answered with the seqs that are stored, in the order sent`)
  }
  t.ok(log.every(({ at }, i) => i === 0 || at > log[i - 1]!.at))
})

t.test('the same message through two owners at once is stored once and answered with one seq', async (t) => {
  const rounds = await Promise.all(
    upTo(40).map(async (i) => {
      const send = one.entry('51', { user: '52' }, { msgId: `both-${i}`, text: `${i}` })
      const same = two.entry('51', { user: '52' }, { msgId: `both-${i}`, text: `${i}` })
      return Promise.all([one.send(send), two.send(same)])
    }),
  )
  for (const [[first], [second]] of rounds) t.equal((first as { seq: number }).seq, (second as { seq: number }).seq)
  const log = await stored('p51-52')
  t.equal(log.length, 40)
  t.equal(new Set(log.map(({ msgId }) => msgId)).size, 40)
})

t.test('what a rival has stored goes out here too, in front of our next message', async (t) => {
  await one.send(one.entry('61', { user: '62' }))
  await two.send(two.entry('62', { user: '61' }))
  t.match(await one.send(one.entry('61', { user: '62' })), [{ seq: 3 }])
  const seen = await eventually('all frames', () => one.messages('p61-62').length === 3 && one.messages('p61-62'))
  t.same(
    seen.map(({ item }) => item.seq),
    [1, 2, 3],
  )
})

t.test('what a rival numbered long ago and stored only now goes out here too', async (t) => {
  groups[0]!.create('7', '71', '72')
  const long = Date.now() - 60_000
  const old = (seq: number) => toDocument(message({ seq, at: long + seq, group: '7', from: '71' }))
  const messages = w.db.collection<MessageDocument>('messages')
  await messages.insertOne(old(1))
  t.same(await groups[0]!.tell({ groupId: '7', version: 1 }), { lastSeq: 1 }, 'its tail has been read')
  await messages.insertOne(old(2))
  t.match(await one.send(one.entry('72', { group: '7' })), [{ seq: 3 }])
  const seen = await eventually('both frames', () => one.messages('g7').length === 2 && one.messages('g7'))
  t.same(
    seen.map(({ item }) => item.seq),
    [2, 3],
  )
})
