import type { MsgModel } from '@qunxin/contracts'
import t from 'tap'
import { until } from './rig/client.ts'
import { startRig, textTo } from './rig/gateway-rig.ts'

const rig = await startRig()
const { gateway, service, bind } = rig
const { node } = gateway

const asked: { conversation: string; fromSeq: number; toSeq: number }[] = []
let ranges: (fromSeq: number, toSeq: number) => MsgModel[] | Promise<MsgModel[]> = () => []
let late: [string, number][] | undefined
service.serve({
  'message.range': async (input) => {
    asked.push(input)
    return { messages: await ranges(input.fromSeq, input.toSeq), ...(late && { late }) }
  },
})
await service.bus.flush()

const groupMessage = (group: string, seq: number, fromUserId = 1, msgId = `m${seq}`): MsgModel => ({
  fromUserId,
  toUserId: 0,
  contentStr: `message ${seq}`,
  serverReceiveDate: 1_000 + seq,
  msgId,
  msgContentType: 1,
  sessionId: group,
  state: 1,
  seq,
})
const send = (group: string, seqs: number[], users: string[], rest: { except?: string } = {}) =>
  service.deliver(
    node,
    seqs.map((seq) => ({ message: groupMessage(group, seq), to: { users, conversation: `g${group}`, ...rest } })),
  )
const seqsOf = (client: { of(tag: string): { seq: number }[] }) => client.of('message').map(({ seq }) => seq)

t.beforeEach(() => {
  asked.length = 0
  ranges = () => []
  late = undefined
  service.batches.length = 0
  service.onBatch = () => {}
})

t.test('a frame reaches every device of its users but the one it came from, as it was made', async (t) => {
  const [one, two, other] = await Promise.all([bind(gateway, 501), bind(gateway, 501), bind(gateway, 502)])
  const { sessionKey } = await one.next('bound')
  const message = { ...groupMessage('51', 1), contentStr: '你好 😀' }
  service.deliver(node, [{ message, to: { users: ['501', '502', '599'], conversation: 'g51', except: sessionKey } }])
  t.strictSame(await two.next('message'), message)
  t.strictSame(await other.next('message'), message)
  await one.settled()
  t.same(one.of('message'), [])
})

t.test('pushes are written as they come', async (t) => {
  const client = await bind(gateway, 503)
  service.push(node, ['503'], 'groupListChanged', { groupId: '9', reason: 'added' })
  service.push(node, ['503'], 'groupChanged', { groupId: '9', reason: 'updated', byUserId: 4 })
  t.strictSame(await client.next('groupListChanged'), { groupId: '9', reason: 'added' })
  t.strictSame(await client.next('groupChanged'), { groupId: '9', reason: 'updated', byUserId: 4 })
})

t.test('a message comes once and in order, however often and late it is published', async (t) => {
  const client = await bind(gateway, 504)
  send('54', [10, 11, 11, 10], ['504'])
  send('54', [12, 10, 12, 13], ['504'])
  await until(() => seqsOf(client).length >= 4, 'four messages')
  await client.settled()
  t.same(seqsOf(client), [10, 11, 12, 13])
  t.same(asked, [])
})

t.test('a hole is filled from the log, once for all connections of the node, and what came later waits', async (t) => {
  const clients = await Promise.all([bind(gateway, 505), bind(gateway, 506), bind(gateway, 506)])
  const users = ['505', '506']
  const release = Promise.withResolvers<void>()
  ranges = async (fromSeq, toSeq) => {
    await release.promise
    return Array.from({ length: toSeq - fromSeq + 1 }, (_, i) => groupMessage('55', fromSeq + i))
  }
  send('55', [1], users)
  send('55', [4], users)
  send('55', [5], users)
  await until(() => asked.length > 0, 'the range')
  await Promise.all(clients.map((client) => client.settled()))
  for (const client of clients) t.same(seqsOf(client), [1])
  release.resolve()
  for (const client of clients) {
    await client.next('message', 4)
    t.same(seqsOf(client), [1, 2, 3, 4, 5])
  }
  t.same(asked, [{ conversation: 'g55', fromSeq: 2, toSeq: 3 }])
})

t.test('what the log does not have does not hold up the rest', async (t) => {
  const client = await bind(gateway, 507)
  ranges = async () => []
  send('57', [1], ['507'])
  send('57', [3, 4], ['507'])
  await client.next('message', 2)
  t.same(seqsOf(client), [1, 3, 4])
})

t.test('while the log cannot be asked what came later waits, and comes in its order when it can', async (t) => {
  const client = await bind(gateway, 521)
  ranges = (fromSeq, toSeq) => {
    if (asked.length < 2) return new Promise(() => {})
    return Promise.resolve(Array.from({ length: toSeq - fromSeq + 1 }, (_, i) => groupMessage('71', fromSeq + i)))
  }
  send('71', [1], ['521'])
  send('71', [4], ['521'])
  await client.next('message', 3)
  t.same(seqsOf(client), [1, 2, 3, 4])
  t.same(asked.length, 2)
})

t.test('an edit in a hole has its text for whom the log does not say that they came too late', async (t) => {
  const change = { kind: 'edit', seq: 3, msgId: 'm3' } as const
  const edits = (seq: number): MsgModel[] => [
    { ...groupMessage('63', seq, 601), change },
    { ...groupMessage('63', seq + 1, 601), change: { ...change, seq: 5 } },
  ]
  late = [
    ['602', 4],
    ['601', 4],
  ]
  ranges = edits
  const clients = await Promise.all([601, 602, 603].map((user) => bind(gateway, user)))
  send('63', [7, 10], ['601', '602', '603'])
  for (const [i, client] of clients.entries()) {
    await client.next('message', 1)
    const [first, second] = edits(8)
    const shown = i === 1 ? { ...first, contentStr: '', withheld: true } : first
    t.strictSame(client.of('messageChanged'), [shown, second])
  }
  t.equal(asked.length, 1)
})

t.test('a large hole is filled piece by piece', async (t) => {
  const client = await bind(gateway, 522)
  ranges = async (fromSeq, toSeq) =>
    Array.from({ length: toSeq - fromSeq + 1 }, (_, i) => groupMessage('72', fromSeq + i))
  send('72', [1], ['522'])
  send('72', [1203], ['522'])
  await client.next('message', 1202)
  t.same(
    seqsOf(client),
    Array.from({ length: 1203 }, (_, i) => i + 1),
  )
  t.same(
    asked.map(({ fromSeq, toSeq }) => [fromSeq, toSeq]),
    [
      [2, 501],
      [502, 1001],
      [1002, 1202],
    ],
  )
})

t.test('who comes back after a while is not told what it missed: that is no hole (interleaving 16)', async (t) => {
  const before = await bind(gateway, 508)
  send('58', [50], ['508'])
  await before.next('message')
  before.socket.close()
  await before.code()
  const after = await bind(gateway, 508)
  send('58', [60], ['508'])
  await after.next('message')
  t.same(seqsOf(after), [60])
  t.same(asked, [])
})

t.test('its own acknowledged sends are no hole for a connection (interleaving 17)', async (t) => {
  const client = await bind(gateway, 509)
  let seq = 0
  service.onBatch = ({ sends }) =>
    service.answer(
      node,
      sends.map(({ id }) => ({ id, seq: ++seq, at: seq })),
    )
  for (const msgId of ['a', 'b', 'c']) client.send('message', textTo(0, msgId, { sessionId: '59' }))
  client.send('sendMessage', { ...textTo(0, 'd', { sessionId: '59' }), taskId: 1 })
  await client.next('sendMessage')
  send('59', [5], ['509'])
  await client.next('message')
  client.send('message', textTo(0, 'e', { sessionId: '59' }))
  await client.next('messageAck', 3)
  t.same(seqsOf(client), [5])
  t.same(asked, [])
})

t.test('a reply that arrives before the answer to the send in front of it waits for that answer', async (t) => {
  const client = await bind(gateway, 510)
  send('60', [1], ['510'])
  await client.next('message')
  client.send('message', textTo(0, 'mine', { sessionId: '60' }))
  await until(() => service.batches.length > 0, 'the send')
  send('60', [3], ['510'])
  const [{ id } = { id: 0 }] = service.batches[0]?.sends ?? []
  service.answer(node, [{ id, seq: 2, at: 2 }])
  await client.next('message', 1)
  t.same(
    client.frames.flatMap(({ tag, data }) => (tag === 'message' || tag === 'messageAck' ? [data.seq] : [])),
    [1, 2, 3],
  )
  t.same(asked, [])
})

t.test('a message sent round again is not shown to the connection that still waits for its answer', async (t) => {
  const [sender, device] = await Promise.all([bind(gateway, 511), bind(gateway, 511)])
  send('61', [1], ['511'])
  await Promise.all([sender.next('message'), device.next('message')])
  sender.send('message', textTo(0, 'mine', { sessionId: '61' }))
  await until(() => service.batches.length > 0, 'the send')
  const again = { from: '511', msgId: 'mine' }
  const message = groupMessage('61', 2, 511, 'mine')
  service.deliver(node, [{ message, to: { users: ['511'], conversation: 'g61', again } }])
  ranges = () => [message]
  send('61', [3], ['511'])
  await Promise.all([sender.next('message', 1), device.next('message', 2)])
  t.same(seqsOf(device), [1, 2, 3])
  t.same(seqsOf(sender), [1, 3], 'from the range neither')
  service.answer(node, [{ id: service.batches[0]?.sends[0]?.id ?? 0, seq: 2, at: 2, duplicate: true }])
  t.match(await sender.next('messageAck'), { seq: 2, duplicate: true })
  send('61', [4], ['511'])
  await sender.next('message', 2)
  t.same(seqsOf(sender), [1, 3, 4])
})

t.test(
  'a message that was refused for now and stored all the same is not shown to the connection it was sent on',
  async (t) => {
    const [sender, device] = await Promise.all([bind(gateway, 521), bind(gateway, 521)])
    send('63', [1], ['521'])
    await Promise.all([sender.next('message'), device.next('message')])
    const before = service.batches.length
    sender.send('message', textTo(0, 'stored', { sessionId: '63' }))
    await until(() => service.batches.length > before, 'the send')
    service.answer(node, [{ id: service.batches.at(-1)?.sends[0]?.id ?? 0, code: 'UNAVAILABLE' }])
    t.match(await sender.next('messageAck'), { msgId: 'stored', code: 5002 })
    const message = groupMessage('63', 2, 521, 'stored')
    const again = { from: '521', msgId: 'stored' }
    service.deliver(node, [{ message, to: { users: ['521'], conversation: 'g63', again } }])
    ranges = () => [message]
    send('63', [3], ['521'])
    await Promise.all([sender.next('message', 1), device.next('message', 2)])
    t.same(seqsOf(device), [1, 2, 3], 'for another device it is new')
    t.same(seqsOf(sender), [1, 3])
  },
)

t.test('who was put out of a group and let in again is not shown what was said meanwhile', async (t) => {
  const client = await bind(gateway, 512)
  ranges = (fromSeq) => [groupMessage('62', fromSeq)]
  send('62', [1], ['512'])
  service.push(node, ['512'], 'groupListChanged', { groupId: '62', reason: 'kicked' })
  service.push(node, ['512'], 'groupListChanged', { groupId: '62', reason: 'added' })
  send('62', [9], ['512'])
  await client.next('message', 1)
  t.same(seqsOf(client), [1, 9])
  t.same(asked, [])
})

t.test('answers and frames of one delivery reach a connection in their order', async (t) => {
  const client = await bind(gateway, 513)
  client.send('message', textTo(514, 'mine'))
  await until(() => service.batches.length > 0, 'the send')
  const body = Buffer.from(JSON.stringify({ tag: 'message', data: { seq: 2 } }))
  const frame = { kind: 'frame' as const, size: body.length, users: ['513'], conversation: 'p513-514', seq: 2 }
  const answer = { id: service.batches[0]?.sends[0]?.id ?? 0, seq: 1, at: 1 }
  service.publish(node, { from: 'ms-1', items: [{ kind: 'answer', answer }, frame] }, [body])
  await client.next('message')
  t.same(
    client.frames.map(({ tag }) => tag).filter((tag) => tag.startsWith('message')),
    ['messageAck', 'message'],
  )
})

t.test('a new owner of a group has missed nothing: what waits behind a hole is shown', async (t) => {
  const client = await bind(gateway, 571)
  const release = Promise.withResolvers<void>()
  ranges = async (fromSeq) => {
    await release.promise
    return [groupMessage('57', fromSeq)]
  }
  send('57', [1, 3], ['571'])
  await until(() => asked.length === 1, 'the range to be asked for')
  service.push(node, ['571'], 'groupListChanged', { groupId: '57', reason: 'transferred' })
  await client.next('groupListChanged')
  release.resolve()
  await client.settled()
  send('57', [4], ['571'])
  await until(() => seqsOf(client).includes(4), 'the next message')
  t.same(seqsOf(client), [1, 2, 3, 4])
})
