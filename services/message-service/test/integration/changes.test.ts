import { randomInt } from 'node:crypto'
import { editMessage, loadChatRecords, range, recallMessage } from '@qunxin/contracts'
import t from 'tap'
import { Watermarks } from '../../src/events/watermarks.ts'
import { MongoLog } from '../../src/store/mongo-log.ts'
import { message } from '../sample.ts'
import { eventsOf } from './events-stream.ts'
import { eventually, fakeGateway, fakeGroups, tappedLog, world } from './harness.ts'
import { random } from './writers.ts'

const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
t.comment(`TEST_SEED=${seed}`)
const pick = random(seed)
t.setTimeout(120_000)
const w = await world()
t.teardown(() => w.end())
const { hooks, wrapLog } = tappedLog()
await w.start({}, { wrapLog })
await w.start({}, { wrapLog })
const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
t.teardown(() => gateway.stop())
const groups = fakeGroups(await w.connect('group-service'))
const bus = await w.connect('caller')
const log = new MongoLog(w.db)

const recall = (user: string, peerUserId: string, seq: number) =>
  bus.request(recallMessage, { sessionId: undefined, peerUserId, seq }, { user })
const edit = (user: string, peerUserId: string, fields: { seq: number; msgId: string; contentStr: string }) =>
  bus.request(editMessage, { sessionId: undefined, peerUserId, ...fields }, { user })
const stored = (conversation: string) => w.db.collection('messages').find({ conversation }).sort({ _id: 1 }).toArray()
const nothing = { groupId: undefined, lastTime: undefined, pageSize: undefined, beforeSeq: undefined }
const history = async (user: string, chatUserId: string, fields: { lastTime?: number; pageSize?: number } = {}) =>
  bus.request(loadChatRecords, { ...nothing, chatUserId, ...fields }, { user })

t.test(
  'a message that is taken back is gone before anybody is told, and the repeat is answered the same',
  async (t) => {
    const image = { type: 2, text: 'look', attachment: { url: 'u', filename: 'f' } } as const
    const [sent] = await gateway.send(gateway.entry('1', { user: '2' }, { msgId: 'm', ...image }))
    t.match(sent, { seq: 1 })
    const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    hooks.beforeChanges = async () => {
      reached.resolve()
      await released.promise
    }
    const answer = recall('1', '2', 1)
    await reached.promise
    t.same(gateway.changes('p1-2'), [])
    delete hooks.beforeChanges
    released.resolve()
    const told = await answer
    t.match(told, { seq: 2, serverReceiveDate: Number })
    const [original] = await stored('p1-2')
    t.match(original, { text: '', recalled: true, msgId: 'm' })
    t.notOk('attachment' in original!)
    const [change] = gateway.changes('p1-2')
    t.match(change, {
      item: { seq: 2, users: ['2', '1'] },
      frame: {
        data: { fromUserId: 1, toUserId: 2, contentStr: '', seq: 2, change: { kind: 'recall', seq: 1, msgId: 'm' } },
      },
    })
    t.same(await recall('1', '2', 1), told)
    const { recordList } = await history('2', '1')
    t.match(recordList, [{ seq: 1, msg: '', url: '', recalled: true, type: 'img' }])
    t.equal(recordList.length, 1, 'and the change itself is no record')
    const again = gateway.entry('1', { user: '2' }, { msgId: 'm', ...image })
    t.match(await gateway.send(again), [{ seq: 1, duplicate: true }], 'a repeat of the send is still one')
    t.equal(gateway.messages('p1-2').length, 1, 'which shows nobody what is gone')
  },
)

t.test('an edit is one for its msgId, and the newest one holds', async (t) => {
  await gateway.send(gateway.entry('11', { user: '12' }, { text: 'a' }))
  const first = await edit('11', '12', { seq: 1, msgId: 'e1', contentStr: 'b' })
  const second = await edit('11', '12', { seq: 1, msgId: 'e2', contentStr: 'c' })
  t.match([first.seq, second.seq], [2, 3])
  t.same(await edit('11', '12', { seq: 1, msgId: 'e1', contentStr: 'b' }), first)
  await t.rejects(edit('11', '12', { seq: 1, msgId: 'e1', contentStr: 'x' }), { code: 'MSG_ID_REUSED' })
  t.match((await history('12', '11')).recordList, [{ seq: 1, msg: 'c', edited: second.serverReceiveDate }])
  const { messages } = await bus.request(range, { conversation: 'p11-12', fromSeq: 1, toSeq: 3 })
  t.match(messages, [
    { contentStr: 'c', edited: second.serverReceiveDate },
    { contentStr: 'b', change: { kind: 'edit', seq: 1 } },
    { contentStr: 'c', change: { kind: 'edit', seq: 1 } },
  ])
})

t.test('who may not change a message is told why', async (t) => {
  await gateway.send(gateway.entry('21', { user: '22' }), gateway.entry('21', { user: '22' }))
  await t.rejects(recall('22', '21', 1), { code: 'NOT_ALLOWED' })
  await t.rejects(edit('22', '21', { seq: 1, msgId: 'e', contentStr: 'x' }), { code: 'NOT_ALLOWED' })
  await t.rejects(recall('21', '22', 9), { code: 'MESSAGE_NOT_FOUND' })
  await recall('21', '22', 1)
  await t.rejects(recall('21', '22', 3), { code: 'MESSAGE_NOT_FOUND' }, 'a change is no message')
  await t.rejects(edit('21', '22', { seq: 1, msgId: 'e', contentStr: 'x' }), { code: 'MESSAGE_NOT_FOUND' })
  await t.rejects(edit('21', '22', { seq: 2, msgId: 'e', contentStr: '' }), { code: 'BAD_REQUEST' })
  const contentStr = 'x'.repeat(5_001)
  await t.rejects(edit('21', '22', { seq: 2, msgId: 'e', contentStr }), { code: 'MESSAGE_TOO_LONG' })
  const old = message({ conversation: 'p23-24', from: '23', to: '24', at: Date.now() - 121_000 })
  await log.append([old])
  await t.rejects(recall('23', '24', 1), { code: 'TOO_LATE' })
  t.match(await edit('23', '24', { seq: 1, msgId: 'e', contentStr: 'x' }), { seq: 2 }, 'which has no limit by default')
  groups.create('25', '21')
  await gateway.send(gateway.entry('21', { group: '25' }))
  const inGroup = (user: string, sessionId: string) =>
    bus.request(recallMessage, { sessionId, peerUserId: undefined, seq: 1 }, { user })
  await t.rejects(inGroup('22', '25'), { code: 'NOT_A_MEMBER' })
  await t.rejects(inGroup('22', '26'), { code: 'GROUP_NOT_FOUND' })
  t.match(await inGroup('21', '25'), { seq: 2 })
})

t.test('edits at the same time: everybody ends with the one that is last in the log', async (t) => {
  await gateway.send(gateway.entry('31', { user: '32' }))
  const edits = Array.from({ length: 30 }, (_, i) => ({ seq: 1, msgId: `e${i}`, contentStr: `text ${i}` }))
  await Promise.all(edits.map((one) => edit('31', '32', one)))
  const [original, ...changes] = await stored('p31-32')
  t.equal(changes.length, 30)
  t.match(original, { text: changes.at(-1)!.text, edited: changes.at(-1)!.at })
  const last = gateway.changes('p31-32').find(({ item }) => item.seq === 31)
  t.match(last, { item: { seq: 31 }, frame: { data: { contentStr: original!.text } } })
})

t.test('a recall among edits at the same time: of what came behind it nobody gets a text', async (t) => {
  const pairs = Array.from({ length: 12 }, (_, i) => [String(400 + 2 * i), String(401 + 2 * i)] as const)
  await Promise.all(
    pairs.map(async ([from, to]) => {
      const conversation = `p${from}-${to}`
      await gateway.send(gateway.entry(from, { user: to }, { text: 'secret' }))
      const calls = Array.from({ length: 8 }, (_, i) => i)
      const recallsAt = pick(calls.length)
      await Promise.all(
        calls.map((i) =>
          i === recallsAt
            ? recall(from, to, 1)
            : edit(from, to, { seq: 1, msgId: `e${i}`, contentStr: 'secret' }).catch((error: { code: string }) => {
                if (error.code !== 'MESSAGE_NOT_FOUND') throw error
              }),
        ),
      )
      const documents = await stored(conversation)
      t.ok(
        documents.every(({ text }) => text === ''),
        JSON.stringify(documents.map(({ text, change }) => [text, change?.kind])),
      )
      const seqOfRecall = 1 + documents.findIndex(({ change }) => change?.kind === 'recall')
      const told = await eventually('all of it told', () => {
        const changes = gateway.changes(conversation)
        // On a busy machine calls are repeated, and what they did is told again.
        return new Set(changes.map(({ item }) => item.seq)).size === documents.length - 1 && changes
      })
      for (const { item, frame } of told) if (item.seq! > seqOfRecall) t.equal(frame.data.contentStr, '')
    }),
  )
})

t.test('what a process stored and died over is done before anybody is told, long ago or a moment', async (t) => {
  for (const [from, to, age] of [
    ['51', '52', 1_000],
    ['53', '54', 30_000],
  ] as const) {
    const conversation = `p${from}-${to}`
    const at = Date.now() - age
    const place = { conversation, from, to }
    await log.append([
      message({ ...place, seq: 1, at, text: 'secret' }),
      message({ ...place, seq: 2, at: at + 1, text: 'a' }),
      message({
        ...place,
        seq: 3,
        at: at + 2,
        text: '',
        msgId: 'recall:1',
        change: { kind: 'recall', seq: 1, msgId: 'm1' },
      }),
      message({ ...place, seq: 4, at: at + 3, text: 'b', change: { kind: 'edit', seq: 2, msgId: 'm2' } }),
    ])
    t.match(await gateway.send(gateway.entry(to, { user: from })), [{ seq: 5 }])
    t.match(await stored(conversation), [{ text: '', recalled: true }, { text: 'b', edited: at + 3 }, {}, {}, {}])
    const frames = await eventually('what is told', () => {
      const told = gateway.seen.filter(({ item }) => item.conversation === conversation)
      return told.at(-1)?.item.seq === 5 && told
    })
    t.same(
      frames.map(({ frame }) => [frame.tag, frame.data.seq, frame.data.contentStr].join()),
      [
        ...(age < 10_000 ? ['message,1,', 'message,2,b', 'messageChanged,3,', 'messageChanged,4,b'] : []),
        `message,5,${frames.at(-1)!.frame.data.contentStr}`,
      ],
    )
  }
})

t.test('a change whose owner is stuck in front of doing it is done by the next one, and answered', async (t) => {
  // Everything of its own: the others go on in the shared world.
  const other = await world()
  t.teardown(() => other.end())
  const node = await fakeGateway(await other.connect('gateway'), 'node-1')
  t.teardown(() => node.stop())
  const caller = await other.connect('caller')
  const tap = tappedLog()
  const stuck = await other.start({ LANES: '1' }, { wrapLog: tap.wrapLog })
  await node.send(node.entry('61', { user: '62' }, { text: 'secret' }))
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  tap.hooks.beforeChanges = async () => {
    reached.resolve()
    await released.promise
  }
  const answer = caller.request(recallMessage, { sessionId: undefined, peerUserId: '62', seq: 1 }, { user: '61' })
  await reached.promise
  await other.start()
  const leaving = stuck.stop()
  t.match(await answer, { seq: 2 })
  t.match(node.changes('p61-62')[0], { item: { seq: 2 } })
  released.resolve()
  await leaving
  t.match(await other.db.collection('messages').find().sort({ _id: 1 }).toArray(), [{ text: '', recalled: true }, {}])
})

t.test('what a dead instance left undone is done though nobody touches the conversation again', async (t) => {
  const other = await world()
  t.teardown(() => other.end())
  await other.start()
  await new Watermarks(other.db).renew('dead')
  const change = { kind: 'recall', seq: 1, msgId: 'm1' } as const
  const at = Date.now()
  const entries = [
    message({ at, text: 'secret' }),
    message({ seq: 2, at: at + 1, msgId: 'recall:1', text: '', change }),
  ]
  await new MongoLog(other.db).append(entries)
  await eventually('it to be gone', async () => {
    const original = await other.db.collection('messages').findOne({ msgId: 'm1' })
    return original?.recalled === true && original.text === ''
  })
  const { stored: facts, offline } = await eventsOf(await other.connect('reader'), other.name)
  const told = await eventually('both facts', async () => {
    const all = await facts()
    return all.length === 2 && all
  })
  t.match(told, [
    { fact: { seq: 1, contentStr: '' } },
    { fact: { seq: 2, contentStr: '', change: { kind: 'recall', seq: 1 } } },
  ])
  await eventually(
    'nothing to be left',
    async () => !(await other.db.collection('watermarks').findOne({ _id: 'dead' as never })),
  )
  t.same(await offline(), [], 'nobody missed what is gone')
})

t.test('slow mode keeps nobody from changing what they said, and a change does not count', async (t) => {
  groups.create('71', '1', '2')
  const version = groups.store('71', { slowModeMs: 3_600_000 })
  await groups.tell({ groupId: '71', version })
  const inGroup = { sessionId: '71', peerUserId: undefined }
  t.match(await gateway.send(gateway.entry('1', { group: '71' })), [{ seq: 1 }])
  t.match(await bus.request(editMessage, { ...inGroup, seq: 1, msgId: 'e', contentStr: 'b' }, { user: '1' }), {
    seq: 2,
  })
  t.match(await gateway.send(gateway.entry('1', { group: '71' })), [{ code: 'RATE_LIMITED' }])
  t.match(await bus.request(recallMessage, { ...inGroup, seq: 1 }, { user: '1' }), { seq: 3 })
  const last = await log.lastBySender('g71', 0)
  t.equal(last.get('1'), (await stored('g71'))[0]!.at)
})

t.test('a hole with an edit in it says whom its text is not for, as they came later', async (t) => {
  groups.create('91', '1')
  await groups.tell({ groupId: '91', version: groups.store('91', { history: 'joined' }) })
  await gateway.send(gateway.entry('1', { group: '91' }))
  await groups.tell({ groupId: '91', version: groups.store('91', { added: ['2'] }), added: ['2'] })
  const edits = { sessionId: '91', peerUserId: undefined, seq: 1, msgId: 'e', contentStr: 'secret' }
  t.match(await bus.request(editMessage, edits, { user: '1' }), { seq: 2 })
  // By whichever instance: the owner was told of who came, the other asks.
  for (let times = 0; times < 6; times++) {
    const { messages, late = [] } = await bus.request(range, { conversation: 'g91', fromSeq: 2, toSeq: 2 })
    t.match(messages, [{ contentStr: 'secret', change: { kind: 'edit', seq: 1 } }])
    t.equal(new Map(late).get('2'), 1)
  }
})

t.test('history has no empty page before its end, however many changes stand between', async (t) => {
  const place = { conversation: 'p81-82', from: '81', to: '82' }
  const isMessage = (seq: number) => seq % 20 === 1
  const entries = Array.from({ length: 101 }, (_, i) => i + 1).map((seq) => ({
    ...message({ ...place, seq, msgId: `m${seq}` }),
    ...(!isMessage(seq) && { change: { kind: 'edit' as const, seq: 1, msgId: 'm1' } }),
  }))
  await log.append(entries)
  const expected = entries.filter(({ seq }) => isMessage(seq)).map(({ seq }) => seq)
  const seqs: number[] = []
  for (let lastTime = 0; ; ) {
    const page = await history('82', '81', { lastTime, pageSize: 2 })
    if (page.recordList.length === 0) break
    seqs.push(...page.recordList.map(({ seq }) => seq))
    lastTime = page.recordList.at(-1)!.timestamp
    t.equal(page.hasMore, seqs.length < expected.length)
  }
  t.same(seqs, expected)
  const back: number[] = []
  for (let beforeSeq: number | undefined; ; beforeSeq = back[0]) {
    const page = await bus.request(
      loadChatRecords,
      { ...nothing, chatUserId: '81', pageSize: 4, ...(beforeSeq !== undefined && { beforeSeq }) },
      { user: '82' },
    )
    if (page.recordList.length === 0) break
    back.unshift(...page.recordList.map(({ seq }) => seq))
    t.equal(page.hasMore, back.length < expected.length)
  }
  t.same(back, expected)
})
