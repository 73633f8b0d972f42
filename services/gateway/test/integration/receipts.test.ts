import { partitionOf, type Receipt } from '@qunxin/contracts'
import t from 'tap'
import { startRig } from './rig/gateway-rig.ts'

const rig = await startRig()
const { gateway, service, bind, until } = rig

const of = (user: number) => service.receipts.filter((receipt) => receipt.user === String(user))
const batchesOf = (user: number) =>
  service.receiptBatches.filter(({ receipts }) => receipts.some((receipt) => receipt.user === String(user)))
const to = (peerUserId: number, seq: number) => ({ sessionId: '', peerUserId, seq })
const errorsOf = (client: { of(tag: string): { code: number; tag?: string }[] }) =>
  client.of('error').map(({ code, tag }) => [code, tag])

t.test('what was received and read is told to the owner, and never answered to the client', async (t) => {
  const client = await bind(gateway, 801)
  const before = client.frames.length
  client.send('messageReceived', { ...to(802, 5), taskId: 't1' })
  client.send('messageRead', { sessionId: '9', peerUserId: 0, seq: 3, userId: 801, taskId: 't2' })
  client.send('messageRead', { sessionId: '7', seq: '4' })
  await until(() => of(801).length >= 3, 'the receipts')
  const conn = (await client.next('bound')).sessionKey
  const byConversation = (one: Receipt, other: Receipt) => (one.conversation < other.conversation ? -1 : 1)
  t.same(of(801).sort(byConversation), [
    { user: '801', conversation: 'g7', read: 4, conn, alone: true },
    { user: '801', conversation: 'g9', read: 3, conn, alone: true },
    { user: '801', conversation: 'p801-802', delivered: 5 },
  ])
  for (const { node } of batchesOf(801)) t.equal(node, gateway.node)
  await client.settled()
  t.same(
    client.frames.slice(before).map(({ tag }) => tag),
    ['canConnect'],
  )
})

t.test('one that cannot be taken is told by error, under its tag, and the connection goes on', async (t) => {
  const client = await bind(gateway, 803)
  const wrong: unknown[] = [
    undefined,
    7,
    {},
    { sessionId: '', peerUserId: 0, seq: 1 },
    { peerUserId: 802 },
    { peerUserId: 802, seq: 0 },
    { peerUserId: 802, seq: 1.5 },
    { peerUserId: { $ne: 1 }, seq: 1 },
    { peerUserId: 803, seq: 1 },
  ]
  for (const data of wrong) client.send('messageRead', data)
  client.send('messageReceived', { ...to(802, 1), userId: 802 })
  client.send('messageRead', to(804, 6))
  await until(() => of(803).length > 0, 'the one that can')
  await client.settled()
  t.same(errorsOf(client), [...wrong.map(() => [1001, 'messageRead']), [1003, 'messageReceived']])
  t.same(
    of(803).map(({ conversation }) => conversation),
    ['p803-804'],
  )
  t.equal(client.of('messageRead').length + client.of('messageReceived').length, 0)
})

t.test('they count as any frame: above the limit they are refused by error', async (t) => {
  const limited = await rig.startGateway({ RATE_LIMITS: 'true' })
  const client = await bind(limited, 805)
  for (let seq = 1; seq <= 400; seq++) client.send('messageRead', to(806, seq))
  await until(() => errorsOf(client).length > 0, 'a refusal')
  const [first] = errorsOf(client)
  t.same(first, [1007, 'messageRead'])
})

t.test('without an answer the same is told again; what comes meanwhile follows as one, the furthest', async (t) => {
  service.silentToReceipts = true
  const client = await bind(gateway, 807)
  client.send('messageRead', to(808, 1))
  await until(() => batchesOf(807).length >= 2, 'the repeat')
  for (const seq of [5, 9, 7]) client.send('messageRead', to(808, seq))
  client.send('messageReceived', to(808, 8))
  await client.settled()
  await until(() => batchesOf(807).length >= 4, 'more repeats')
  t.same(new Set(of(807).map(({ read }) => read)), new Set([1]), 'one batch at a time')
  service.silentToReceipts = false
  await until(() => of(807).some(({ read }) => read === 9), 'what came meanwhile')
  const told = batchesOf(807).length
  client.send('messageRead', to(808, 12))
  await until(() => of(807).some(({ read }) => read === 12), 'the next one')
  const later = batchesOf(807).slice(told)
  t.same(
    new Set(later.flatMap(({ receipts }) => receipts).map(({ read }) => read)),
    new Set([12]),
    'what is confirmed is not told again',
  )
})

t.test('while an owner can do nothing for groups, what is personal goes on', async (t) => {
  service.silentToReceipts = 'of groups'
  const client = await bind(gateway, 851)
  const partition = partitionOf('g1', 8)
  const peers = Array.from({ length: 100 }, (_, i) => 1_000 + i)
  const [one = 0, two = 0] = peers.filter((peer) => partitionOf(`p851-${peer}`, 8) === partition)
  client.send('messageRead', { sessionId: '1', seq: 3 })
  client.send('messageRead', to(one, 1))
  await until(() => of(851).length >= 2, 'both')
  client.send('messageRead', to(two, 1))
  await until(() => of(851).some(({ conversation }) => conversation === `p851-${two}`), 'what came later')
  client.send('messageRead', { sessionId: '1', seq: 4 })
  await client.settled()
  const ofGroup = () => of(851).filter(({ conversation }) => conversation === 'g1')
  t.notOk(ofGroup().some(({ read }) => read === 4))
  service.silentToReceipts = false
  await until(() => ofGroup().some(({ read }) => read === 4), 'the group')
})

t.test('without an owner it waits, and is told as soon as there is one', async (t) => {
  const alone = await startRig()
  const client = await alone.bind(alone.gateway, 809)
  await alone.service.stop()
  client.send('messageRead', { sessionId: '', peerUserId: 810, seq: 4 })
  await client.settled()
  const next = await alone.startService('ms-2')
  await alone.until(() => next.receipts.length > 0, 'the receipt')
  t.match(next.receipts, [{ user: '809', conversation: 'p809-810', read: 4 }])
})

t.test(
  'who reads on one of two devices of a gateway is not alone there; on two gateways each says so of itself',
  async (t) => {
    const second = await rig.startGateway()
    const [one, two] = [await bind(gateway, 811), await bind(gateway, 811)]
    const elsewhere = await bind(second, 811)
    const connOf = async (client: typeof one) => (await client.next('bound')).sessionKey
    one.send('messageRead', to(812, 1))
    elsewhere.send('messageRead', to(813, 2))
    await until(() => of(811).length >= 2, 'both')
    const found = (conversation: string) => of(811).find((receipt) => receipt.conversation === conversation)
    t.same(found('p811-812'), { user: '811', conversation: 'p811-812', read: 1, conn: await connOf(one) })
    t.same(found('p811-813'), {
      user: '811',
      conversation: 'p811-813',
      read: 2,
      conn: await connOf(elsewhere),
      alone: true,
    })
    t.equal(batchesOf(811).find(({ receipts }) => receipts.some(({ read }) => read === 2))?.node, second.node)
    two.terminate()
    const present = () => service.receipts.filter(({ read, alone }) => read === 20 && alone)
    await until(() => {
      one.send('messageRead', to(814, 20))
      return present().length > 0
    }, 'it is alone once the other has gone')
  },
)

t.test('a gateway that stops tells what it still has', async (t) => {
  const stopping = await rig.startGateway()
  const client = await bind(stopping, 821)
  client.send('messageRead', to(822, 7))
  await client.settled()
  await stopping.stop()
  t.match(of(821), [{ conversation: 'p821-822', read: 7 }])
})

t.test('a connection is shown no cursor that is behind what it was shown, whichever instance tells it', async (t) => {
  const other = await rig.startService('ms-2')
  const client = await bind(gateway, 831)
  const state = (from: typeof service, delivered: number, read: number) => {
    const data = { sessionId: '', peerUserId: 832, deliveredSeq: delivered, readSeq: read }
    const body = Buffer.from(JSON.stringify({ tag: 'messageState', data }))
    const cursor = { of: '832', delivered, read }
    const item = { kind: 'frame' as const, size: body.length, users: ['831'], conversation: 'p831-832', cursor }
    from.publish(gateway.node, { from: from.instance, items: [item] }, [body])
  }
  state(service, 5, 2)
  await client.next('messageState')
  state(other, 4, 2)
  state(other, 5, 2)
  state(other, 6, 2)
  await client.next('messageState', 1)
  state(service, 6, 6)
  await client.next('messageState', 2)
  t.same(
    client.of('messageState').map(({ deliveredSeq, readSeq }) => [deliveredSeq, readSeq]),
    [
      [5, 2],
      [6, 2],
      [6, 6],
    ],
  )
  await other.stop()
})

t.test('all receipts of a partition go to its owner', async (t) => {
  const seen = new Map<string, number>()
  service.bus.subscribe('partition.*.receipt', (message) => {
    const partition = Number(message.subject.split('.').at(-2))
    for (const { conversation } of message.json<{ receipts: Receipt[] }>().receipts) seen.set(conversation, partition)
  })
  await service.bus.flush()
  const client = await bind(gateway, 841)
  for (let peer = 900; peer < 920; peer++) client.send('messageReceived', to(peer, 1))
  await until(() => seen.size >= 20, 'all of them')
  for (const [conversation, partition] of seen) t.equal(partition, partitionOf(conversation, 8), conversation)
})
