import { randomUUID } from 'node:crypto'
import t from 'tap'
import { people } from '../people.ts'
import type { Data } from '../raw-socket.ts'
import { testSystem } from '../system.ts'

const system = await testSystem(t)
const newPerson = people(t, system)

const load = async (person: Awaited<ReturnType<typeof newPerson>>, data: Record<string, unknown>) =>
  (await person.post('/chat/chat!loadChatRecords', data)).data as { recordList: Data[]; hasMore: boolean; info: string }

t.test('250 messages sent fast are paged back by lastTime: no loss, no repeat, ascending', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const socket = await one.socket()
  const texts = Array.from({ length: 250 }, (_, i) => `message ${i}`)
  const acks = await Promise.all(texts.map((contentStr) => socket.message({ toUserId: two.number, contentStr })))
  t.same(
    acks.map(({ seq }) => seq),
    texts.map((_, i) => i + 1),
    'each has its place in the order it was sent',
  )
  for (const [reader, peer] of [
    [one, two],
    [two, one],
  ] as const) {
    const records: Data[] = []
    let lastTime: number | string = 0
    for (;;) {
      const page = await load(reader, { chatUserId: peer.id, lastTime, pageSize: 20 })
      if (page.recordList.length === 0) break
      t.ok(page.recordList.length <= 20)
      t.equal(page.hasMore, records.length + page.recordList.length < 250)
      records.push(...page.recordList)
      lastTime = String(records.at(-1).timestamp)
    }
    t.same(
      records.map(({ msg }) => msg),
      texts,
    )
    t.same(
      records.map(({ timestamp }) => timestamp),
      acks.map(({ serverReceiveDate }) => serverReceiveDate),
    )
    t.ok(records.every(({ timestamp }, i) => i === 0 || timestamp > records[i - 1].timestamp))
  }
})

t.test('without lastTime the newest page comes, and beforeSeq goes back from there', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const socket = await one.socket()
  await Promise.all(
    Array.from({ length: 7 }, (_, i) => socket.message({ toUserId: two.number, contentStr: `${i + 1}` })),
  )
  const newest = await load(two, { chatUserId: one.id, pageSize: 3 })
  t.same([newest.recordList.map(({ msg }) => msg), newest.hasMore], [['5', '6', '7'], true])
  const older = await load(two, { chatUserId: one.id, pageSize: 3, beforeSeq: 5 })
  t.same([older.recordList.map(({ msg }) => msg), older.hasMore], [['2', '3', '4'], true])
  const oldest = await load(two, { chatUserId: one.id, pageSize: '3', beforeSeq: '2' })
  t.same([oldest.recordList.map(({ msg }) => msg), oldest.hasMore], [['1'], false])
})

t.test('all four types come back with the fields of seed A, each with its own and no others', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const socket = await one.socket()
  const receiver = await two.socket({ gateway: 1 })
  const given = { url: 'upload/1', filename: '22.png', secret: 's', length: 3, lat: 39.98, lng: 116.3, addr: '海淀区' }
  for (const msgContentType of [1, '2', 3, '4'])
    await socket.message({ toUserId: two.number, msgContentType, contentStr: `type ${msgContentType}`, ...given })
  const { recordList } = await load(two, { chatUserId: one.id })
  const { url, filename, secret, length, lat, lng, addr } = given
  const expected = [
    { type: 'txt' },
    { type: 'img', url, filename, secret },
    { type: 'loc', lat, lng, addr },
    { type: 'audio', url, filename, secret, length },
  ]
  for (const [i, { type, ...attachment }] of expected.entries()) {
    const record = recordList[i]
    t.same(record, {
      fromId: one.id,
      msg_id: record.msg_id,
      chat_type: 'chat',
      msg: `type ${i + 1}`,
      type,
      ...attachment,
      timestamp: record.timestamp,
      toId: two.id,
      seq: i + 1,
      state: record.state,
    })
    const frame = await receiver.next('message', ({ seq }) => seq === i + 1)
    t.match(frame, { msgContentType: i + 1, ...attachment })
    t.same(
      Object.keys(given).filter((field) => field in frame),
      Object.keys(given).filter((field) => field in attachment),
    )
  }
  t.match(await socket.message({ toUserId: two.number, msgContentType: '9' }), { code: 3004, info: '不支持的消息类型' })
})

t.test('what cannot be asked for is refused by the name of its field', async (t) => {
  const person = await newPerson()
  const refused = async (data: Record<string, unknown>, field: string) => {
    const answer = await person.post('/chat/chat!loadChatRecords', data)
    t.equal(answer.status, 400, JSON.stringify(data))
    t.match(answer.data, { success: false, code: 'BAD_REQUEST', info: '请求格式错误', details: { field } })
  }
  await refused({}, 'groupId')
  await refused({ groupId: '1', chatUserId: '2' }, 'groupId')
  await refused({ chatUserId: '2', lastTime: 1, beforeSeq: 3 }, 'beforeSeq')
  await refused({ chatUserId: '2', lastTime: 'yesterday' }, 'lastTime')
  for (const pageSize of [201, -1, 1.5, 'many']) await refused({ chatUserId: '2', pageSize }, 'pageSize')
})

t.test('nobody else can read a personal conversation, and who has none gets an empty page', async (t) => {
  const [one, two, three] = [await newPerson(), await newPerson(), await newPerson()]
  await (await one.socket()).message({ toUserId: two.number, contentStr: 'for two' })
  t.match(await load(three, { chatUserId: one.id }), { recordList: [], hasMore: false, info: '加载聊天记录成功' })
  t.match(await load(three, { chatUserId: two.id }), { recordList: [], hasMore: false })
})

t.test('the same msgId five times at once is one message, shown once, with one seq', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const sockets = await Promise.all([one.socket(), one.socket({ gateway: 1 })])
  const receiver = await two.socket({ gateway: 1 })
  const msgId = randomUUID()
  const message = {
    fromUserId: one.number,
    toUserId: two.number,
    msgId,
    msgContentType: '1',
    contentStr: 'once',
    sessionId: '',
  }
  for (let i = 0; i < 5; i++) sockets[i % 2]!.send('message', { ...message, sendDate: i })
  const acks = []
  for (let i = 0; i < 5; i++) acks.push(await sockets[i % 2]!.next('messageAck'))
  t.equal(new Set(acks.map(({ seq, serverReceiveDate }) => `${seq} ${serverReceiveDate}`)).size, 1)
  t.match(acks[0], { msgId, sessionId: '', peerUserId: two.number, seq: 1, serverReceiveDate: Number, state: 1 })
  t.equal(acks.filter(({ duplicate }) => duplicate === true).length, 4)

  await sockets[0]!.message({ toUserId: two.number, contentStr: 'the next' })
  await receiver.next('message', ({ contentStr }) => contentStr === 'the next')
  t.same(receiver.texts, ['once', 'the next'])
  t.same(
    (await load(two, { chatUserId: one.id })).recordList.map(({ seq, msg }) => [seq, msg]),
    [
      [1, 'once'],
      [2, 'the next'],
    ],
  )
  t.match(await sockets[0]!.message({ ...message, contentStr: 'other words' }), { msgId, code: 3002 })
  t.match(await one.post('/chat/chat!sendMessage', message), { data: { success: true, seq: 1, duplicate: true } })
})
