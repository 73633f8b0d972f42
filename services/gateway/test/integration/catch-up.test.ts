import type { MsgModel } from '@qunxin/contracts'
import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import t from 'tap'
import { token } from '../tokens.ts'
import { startRig } from './rig/gateway-rig.ts'
import type { ScriptedService } from './rig/scripted-service.ts'

const proxy = await startTcpProxy(process.env.QUNXIN_TEST_NATS_URL ?? 'nats://127.0.0.1:4222')
const { gateway, service, startService, bind, connect, until } = await startRig({ natsUrl: proxy.url })
const { node } = gateway
t.teardown(() => proxy.stop())

const HOUR_MS = 3_600_000
/** Published so long before it was lost; clocks may differ by as much. */
const LATE_MS = 30_000
const log: MsgModel[] = []
/** Whose backlog was read. */
let reads: string[] = []
let reading = Promise.withResolvers<void>()
let release = Promise.resolve()
/** Who is in which groups can be asked again once it resolves. */
let groupsBack: Promise<void> | undefined
service.serve({
  'message.backlog': async ({ userId, groups }) => {
    reads.push(userId)
    reading.resolve()
    await release
    if (groups === 'only') await groupsBack
    const personal = log.filter(({ toUserId }) => String(toUserId) === userId)
    if (groups === 'optional' && groupsBack) return { messages: personal, groupsMissing: true }
    const ofGroups = log.filter(({ sessionId }) => sessionId !== '')
    return { messages: groups === 'only' ? ofGroups : [...personal, ...ofGroups] }
  },
})
await service.bus.flush()

const say = (fromUserId: number, toUserId: number, seq: number, serverReceiveDate = Date.now()): MsgModel => {
  const content = { contentStr: 'hello', msgId: `m${seq}`, msgContentType: 1, sessionId: '', state: 1 as const }
  const message: MsgModel = { fromUserId, toUserId, seq, serverReceiveDate, ...content }
  log.push(message)
  return message
}
const deliver = (message: MsgModel, by: ScriptedService = service) => {
  const conversation = `p${message.toUserId}-${message.fromUserId}`
  by.deliver(node, [{ message, to: { users: [String(message.toUserId)], conversation } }])
}
const sayInGroup = (fromUserId: number, seq: number): MsgModel => {
  const message = { ...say(fromUserId, 0, seq), sessionId: '5' }
  log.splice(-1, 1, message)
  return message
}
const deliverToGroup = (message: MsgModel, ...users: string[]) =>
  service.deliver(node, [{ message, to: { users, conversation: 'g5' } }])
const loseForGood = (lose: () => void) => {
  service.losing = true
  lose()
  service.losing = false
  service.giveUp(node)
}
const shown = (client: { of(tag: string): MsgModel[] }) =>
  client.of('message').map(({ fromUserId, seq }) => `${fromUserId}:${seq}`)
const standStill = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

t.beforeEach(() => {
  log.length = 0
  reads = []
  reading = Promise.withResolvers()
  release = Promise.resolve()
  groupsBack = undefined
})

t.test('what got lost on the way comes before what was said behind it, also at who never had anything', async (t) => {
  const client = await bind(gateway, 761)
  service.losing = true
  deliver(say(762, 761, 1))
  service.losing = false
  deliver(say(762, 761, 2))
  await client.next('message', 1)
  t.same(shown(client), ['762:1', '762:2'])
  t.same(reads, [])
})

t.test('everything taken is confirmed, also what is alone', async () => {
  const client = await bind(gateway, 765)
  const before = service.confirmed.get(node) ?? 0
  deliver(say(766, 765, 1))
  await client.next('message')
  await until(() => (service.confirmed.get(node) ?? 0) === before + 1, 'the confirmation')
})

t.test('a cut of NATS is bridged without reading any backlog', async (t) => {
  const [synced, seedsOnly] = [await bind(gateway, 741), await bind(gateway, 741, { sync: false })]
  await until(() => reads.length === 1, 'its first backlog')
  deliver(say(742, 741, 1))
  await Promise.all([synced.next('message'), seedsOnly.next('message')])
  proxy.cut()
  for (const message of [say(742, 741, 2), say(743, 741, 1), say(742, 741, 3)]) deliver(message)
  await service.bus.flush()
  proxy.mend()
  await Promise.all([synced.next('message', 3), seedsOnly.next('message', 3)])
  deliver(say(743, 741, 2))
  const all = ['742:1', '742:2', '743:1', '742:3', '743:2']
  for (const client of [synced, seedsOnly]) {
    await client.next('message', 4)
    t.same(shown(client), all)
  }
  t.same(reads, ['741'])
})

t.test('a moment in which this process stood still is bridged without reading any backlog', async (t) => {
  const client = await bind(gateway, 751)
  deliver(say(752, 751, 1))
  await client.next('message')
  service.losing = true
  deliver(say(752, 751, 2))
  service.losing = false
  standStill(2_000)
  await client.next('message', 1)
  t.same(shown(client), ['752:1', '752:2'])
  t.same(reads, [])
})

t.test('what an instance has given up arrives from the log, once and in order', async (t) => {
  say(703, 701, 1, Date.now() - HOUR_MS)
  const [synced, seedsOnly] = [await bind(gateway, 701), await bind(gateway, 701, { sync: false })]
  await seedsOnly.next('message')
  const { promise, resolve } = Promise.withResolvers<void>()
  release = promise
  reading = Promise.withResolvers()
  deliver(say(702, 701, 1))
  await Promise.all([synced.next('message'), seedsOnly.next('message', 1)])
  service.losing = true
  const missed = [say(702, 701, 2, Date.now() - LATE_MS), say(702, 701, 3), say(704, 701, 8)]
  for (const message of missed) deliver(message)
  service.losing = false
  service.giveUp(node)
  await reading.promise
  deliver(say(704, 701, 9))
  deliver(say(702, 701, 4))
  await synced.settled()
  t.same(shown(synced), ['702:1'])
  resolve()
  await Promise.all([synced.next('message', 5), seedsOnly.next('message', 6)])
  const [from702, from704] = [
    ['702:1', '702:2', '702:3', '702:4'],
    ['704:8', '704:9'],
  ]
  for (const client of [synced, seedsOnly]) {
    t.same(
      shown(client).filter((one) => one.startsWith('702')),
      from702,
    )
    t.same(
      shown(client).filter((one) => one.startsWith('704')),
      from704,
    )
  }
  t.notOk(shown(synced).includes('703:1'), 'what is older than the loss is not news to who has synced')
})

t.test('what an instance has given up while a backlog is still being written arrives too', async (t) => {
  for (let seq = 1; seq <= 300; seq++) say(722, 721, seq).contentStr = '长'.repeat(20_000)
  const client = await connect(gateway, { headers: { authorization: `Bearer ${await token({ sub: '721' })}` } })
  client.send('getUserId', { userId: 721 })
  await client.next('message', 3)
  client.socket.pause()
  const other = await bind(gateway, 723)
  service.losing = true
  deliver(say(724, 721, 1))
  service.losing = false
  service.giveUp(node)
  deliver(say(725, 723, 1))
  await other.next('message')
  client.socket.resume()
  await client.next('message', 300)
  t.same(shown(client).slice(299), ['722:300', '724:1'])
})

t.test('what an instance had for this node when it died in a cut of NATS arrives from the log', async (t) => {
  const mortal = await startService('ms-mortal')
  const client = await bind(gateway, 771)
  deliver(say(772, 771, 1), mortal)
  await client.next('message')
  proxy.cut()
  deliver(say(773, 771, 1), mortal)
  await mortal.bus.flush()
  await mortal.stop()
  proxy.mend()
  await client.next('message', 1)
  t.same(shown(client), ['772:1', '773:1'])
  t.same(
    reads.filter((user) => user === '771'),
    ['771'],
  )
})

t.test(
  'what an instance had for this node when it died, and what is known to be missing, arrives from the log',
  async (t) => {
    const mortal = await startService('ms-mortal-too')
    const client = await bind(gateway, 781)
    mortal.losing = true
    deliver(say(782, 781, 1), mortal)
    mortal.losing = false
    // The asking for the first one finds nobody.
    mortal.deaf = true
    deliver(say(782, 781, 2), mortal)
    await mortal.bus.flush()
    await mortal.stop()
    await client.next('message', 1)
    t.same(shown(client), ['782:1', '782:2'])
    t.same(
      reads.filter((user) => user === '781'),
      ['781'],
    )
  },
)

t.test(
  'what was said while this process stood still, and its instance was replaced, arrives from the log',
  async (t) => {
    const client = await bind(gateway, 711)
    const mortal = await startService('ms-before-sleep')
    deliver(say(712, 711, 1), mortal)
    await client.next('message')
    say(713, 711, 4, Date.now() - HOUR_MS)
    say(712, 711, 2)
    await mortal.stop()
    standStill(2_000)
    await client.next('message', 1)
    t.same(shown(client), ['712:1', '712:2'])
  },
)

t.test(
  'while groups cannot be read what was lost of personal conversations comes, and these go on; groups follow',
  async (t) => {
    const [synced, seedsOnly] = [await bind(gateway, 791), await bind(gateway, 791, { sync: false })]
    await until(() => reads.includes('791'), 'its first backlog')
    await seedsOnly.settled()
    deliver(say(792, 791, 1))
    deliverToGroup(sayInGroup(793, 1), '791')
    await Promise.all([synced.next('message', 1), seedsOnly.next('message', 1)])
    const back = Promise.withResolvers<void>()
    groupsBack = back.promise
    loseForGood(() => {
      deliver(say(792, 791, 2))
      deliverToGroup(sayInGroup(793, 2), '791')
    })
    await Promise.all([synced.next('message', 2), seedsOnly.next('message', 2)])
    deliverToGroup(sayInGroup(793, 3), '791')
    deliver(say(792, 791, 3))
    await Promise.all([synced.next('message', 3), seedsOnly.next('message', 3)])
    const before = ['792:1', '793:1', '792:2', '792:3']
    for (const client of [synced, seedsOnly]) t.same(shown(client), before)
    back.resolve()
    await Promise.all([synced.next('message', 5), seedsOnly.next('message', 5)])
    deliverToGroup(sayInGroup(793, 4), '791')
    for (const client of [synced, seedsOnly]) {
      await client.next('message', 6)
      t.same(shown(client), [...before, '793:2', '793:3', '793:4'])
    }
  },
)

t.test('what is lost for good while a new connection waits for its groups comes at once, and once', async (t) => {
  const back = Promise.withResolvers<void>()
  groupsBack = back.promise
  say(802, 801, 1)
  for (const seq of [1, 2]) sayInGroup(803, seq)
  const client = await bind(gateway, 801, { sync: false })
  await client.next('message')
  deliverToGroup(sayInGroup(803, 3), '801')
  deliver(say(802, 801, 2))
  await client.next('message', 1)
  loseForGood(() => {
    deliver(say(802, 801, 3))
    deliver(say(804, 801, 1))
    deliverToGroup(sayInGroup(803, 4), '801')
  })
  deliver(say(804, 801, 2))
  await client.next('message', 4)
  const of = (user: string) => shown(client).filter((one) => one.startsWith(user))
  t.same([of('802'), of('803')], [['802:1', '802:2', '802:3'], []])
  t.same(of('804'), ['804:1', '804:2'])
  back.resolve()
  await client.next('message', 8)
  deliverToGroup(sayInGroup(803, 5), '801')
  await client.next('message', 9)
  t.same(shown(client).slice(5), ['803:1', '803:2', '803:3', '803:4', '803:5'])
})

t.test('what another device sent while it was read is shown in its place', async (t) => {
  const [synced, seedsOnly] = [await bind(gateway, 821), await bind(gateway, 821, { sync: false })]
  await until(() => reads.includes('821'), 'its first backlog')
  await seedsOnly.settled()
  const { promise, resolve } = Promise.withResolvers<void>()
  release = promise
  reading = Promise.withResolvers()
  loseForGood(() => deliver(say(823, 821, 1)))
  await reading.promise
  const own = say(821, 822, 2)
  log.pop()
  service.deliver(node, [{ message: own, to: { users: ['821'], conversation: 'p821-822' } }])
  deliver(say(822, 821, 3))
  for (const client of [synced, seedsOnly]) await client.settled()
  resolve()
  for (const client of [synced, seedsOnly]) {
    await client.next('message', 2)
    t.same(shown(client), ['823:1', '821:2', '822:3'])
  }
})

t.test(
  'who acknowledges by itself is not kept from live group messages for ever, and gets what was missed later',
  async (t) => {
    const back = Promise.withResolvers<void>()
    groupsBack = back.promise
    const client = await bind(gateway, 811)
    loseForGood(() => {
      deliver(say(812, 811, 1))
      // Nothing more is said there: no hole would tell.
      log.splice(-1, 1, { ...sayInGroup(814, 1), sessionId: '6' })
    })
    await client.next('message')
    deliverToGroup(sayInGroup(813, 9), '811')
    await until(() => client.of('message').length === 2, 'the group message', 20_000)
    t.same(shown(client), ['812:1', '813:9'])
    back.resolve()
    await client.next('message', 2)
    t.same(shown(client), ['812:1', '813:9', '814:1'])
  },
)
