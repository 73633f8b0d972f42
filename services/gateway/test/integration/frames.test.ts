import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { startRig, textTo } from './rig/gateway-rig.ts'

const { gateway, service, bind } = await startRig()
let seq = 0
service.onBatch = ({ node, sends }) =>
  service.answer(
    node,
    sends.map(({ id }) => ({ id, seq: ++seq, at: 1_000 + seq })),
  )
service.bus.serve(
  {
    'group.queryGroupList': async () => {
      await delay(50)
      return []
    },
    'group.queryGroupInfo': () => Promise.reject(new Error('a secret fault')),
    'group.deleteGroup': () => ({}),
    'group.joinGroup': () => ({}),
  },
  'group-service',
)
await service.bus.flush()

const BAD = { code: 1001, info: '请求格式错误' }

t.test('every malformed frame is answered by a clear error, and this connection and others go on', async (t) => {
  const [client, other] = await Promise.all([bind(gateway, 401), bind(gateway, 402)])
  const corpus: (string | Buffer)[] = [
    '',
    'no json',
    '{',
    '{"tag":"message"',
    'null',
    'true',
    '7',
    '"message"',
    '[]',
    '[{"tag":"canConnect"}]',
    '{}',
    '{"data":{}}',
    '{"tag":null}',
    '{"tag":7}',
    '{"tag":""}',
    '{"tag":{"$gt":""}}',
    '{"tag":["canConnect"]}',
    `{"tag":"${'x'.repeat(65)}"}`,
    '\u0000',
    `${'['.repeat(20_000)}`,
    `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
    Buffer.from('{"tag":"canConnect"}'),
    Buffer.from([0, 255, 1]),
  ]
  for (const [i, frame] of corpus.entries()) {
    client.socket.send(frame)
    t.strictSame(await client.next('error', i), BAD, `frame ${i}`)
  }
  client.socket.send(JSON.stringify({ tag: '__proto__', data: {} }))
  client.socket.send(JSON.stringify({ tag: 'constructor', data: { taskId: '' } }))
  t.match(await client.next('error', corpus.length), { code: 1004, tag: '__proto__' })
  t.match(await client.next('error', corpus.length + 1), { code: 1004, tag: 'constructor', taskId: '' })
  await Promise.all([client.settled(), other.settled()])
  t.same(other.of('error'), [])
})

t.test('a message that is wrong is refused under its msgId, and without a valid one by error', async (t) => {
  const client = await bind(gateway, 403)
  const refused = async (changed: Record<string, unknown>) => {
    const nth = client.of('messageAck').length
    client.send('message', textTo(404, 'm', changed))
    const { info, ...rest } = await client.next('messageAck', nth)
    t.type(info, 'string')
    return rest
  }
  const code = (number: number) => ({ msgId: 'm', code: number })
  t.strictSame(await refused({ fromUserId: 404 }), code(1003))
  t.strictSame(await refused({ fromUserId: { $ne: 0 } }), code(1001))
  t.strictSame(await refused({ toUserId: 403 }), code(3001))
  t.strictSame(await refused({ toUserId: 0 }), code(3001))
  t.strictSame(await refused({ toUserId: 'bob' }), code(1001))
  t.strictSame(await refused({ toUserId: undefined }), code(1001))
  t.strictSame(await refused({ msgContentType: '5' }), code(3004))
  t.strictSame(await refused({ msgContentType: 0 }), code(3004))
  t.strictSame(await refused({ msgContentType: {} }), code(1001))
  t.strictSame(await refused({ contentStr: 7 }), code(1001))
  t.strictSame(await refused({ sessionId: { $gt: '' } }), code(1001))
  t.strictSame(await refused({ lat: 'north', msgContentType: 3 }), code(1001))
  for (const [i, data] of [undefined, 'text', [], textTo(404, 'no spaces'), textTo(404, ''), { msgId: 7 }].entries()) {
    client.send('message', data)
    t.strictSame(await client.next('error', i), { ...BAD, tag: 'message' })
  }
  t.same(service.sends, [])
})

t.test('a message is passed on as it is, with fromUserId as a number or as digits, and acknowledged', async (t) => {
  const client = await bind(gateway, 405)
  client.send('message', { fromUserId: '405', ...textTo(406, 'a', { contentStr: '你好 😀', sendDate: 5 }) })
  const ack = { msgId: 'a', sessionId: '', peerUserId: 406, seq: 1, serverReceiveDate: 1_001, state: 1 }
  t.strictSame(await client.next('messageAck'), ack)
  client.send(
    'message',
    textTo(0, 'b', { fromUserId: 405, sessionId: 77, msgContentType: 3, lat: 1.5, lng: 2, url: 'u' }),
  )
  t.match(await client.next('messageAck', 1), { msgId: 'b', sessionId: '77', peerUserId: 0, seq: 2 })
  const common = { conn: client.of('bound')[0].sessionKey, from: '405' }
  t.match(service.sends, [
    { ...common, conversation: 'p405-406', to: '406', msgId: 'a', type: 1, text: '你好 😀', sentAt: 5 },
    { ...common, conversation: 'g77', group: '77', msgId: 'b', type: 3, attachment: { lat: 1.5, lng: 2 } },
  ])
})

t.test('requests are answered under their tag and taskId, in order of completion', async (t) => {
  const client = await bind(gateway, 407)
  client.send('queryGroupList', { userId: 407, taskId: 'slow' })
  client.send('deleteGroup', { userId: 407, groupId: '1', taskId: '' })
  client.send('joinGroup', { groupId: '1', taskId: 9 })
  client.send('deleteGroup', { groupId: '1' })
  t.strictSame(await client.next('queryGroupList'), { code: 0, taskId: 'slow', result: [] })
  t.strictSame(await client.next('deleteGroup', 0), { code: 0, taskId: '' })
  t.strictSame(await client.next('deleteGroup', 1), { code: 0 })
  t.strictSame(await client.next('joinGroup'), { code: 0, taskId: 9, result: { success: true, info: '申请入群成功' } })
  t.equal(client.frames.at(-1)?.tag, 'queryGroupList')
})

t.test(
  'a refusal comes under the tag of the request, with the field that is wrong, and tells nothing of our inside',
  async (t) => {
    const client = await bind(gateway, 408, { headers: { 'accept-language': 'en' } })
    client.send('queryGroupList', { userId: 409, taskId: 't' })
    t.match(await client.next('queryGroupList'), { code: 1003, taskId: 't', info: 'You cannot act as another user' })
    client.send('joinGroup', { groupId: { $gt: '' }, taskId: 't' })
    t.match(await client.next('joinGroup'), { code: 1001, taskId: 't', details: { field: 'groupId' } })
    client.send('joinGroup', 'text')
    t.match(await client.next('joinGroup', 1), { code: 1001 })
    client.send('joinGroup', { groupId: '1', taskId: { an: 'object' } })
    t.match(await client.next('joinGroup', 2), { code: 1001, taskId: undefined, details: { field: 'taskId' } })
    client.send('queryGroupInfo', { groupId: '1', taskId: 't' })
    const { info, ...rest } = await client.next('queryGroupInfo')
    t.strictSame(rest, { code: 5001, taskId: 't' })
    t.notMatch(info, /secret/)
  },
)

t.test('sendMessage is the same send under a taskId', async (t) => {
  const client = await bind(gateway, 410)
  client.send('sendMessage', { ...textTo(411, 'a'), taskId: 's' })
  t.match(await client.next('sendMessage'), { code: 0, taskId: 's', result: { msgId: 'a', peerUserId: 411, state: 1 } })
  client.send('sendMessage', { ...textTo(410, 'a'), taskId: 's' })
  t.match(await client.next('sendMessage', 1), { code: 3001, taskId: 's' })
})
