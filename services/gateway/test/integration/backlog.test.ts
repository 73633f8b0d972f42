import type { backlog as backlogOf, InputOf, MsgModel, OutputOf } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import t from 'tap'
import { token } from '../tokens.ts'
import { until } from './rig/client.ts'
import { startRig } from './rig/gateway-rig.ts'

const rig = await startRig()
const { gateway, service, bind, connect } = rig
const { node } = gateway

type Backlog = OutputOf<typeof backlogOf>
let backlog: (groups: InputOf<typeof backlogOf>['groups']) => Promise<MsgModel[] | Backlog> = async () => []
service.serve({
  'message.backlog': async ({ groups }) => {
    const found = await backlog(groups)
    return Array.isArray(found) ? { messages: found } : found
  },
  'message.range': () => ({ messages: [] }),
})
await service.bus.flush()

const personal = (fromUserId: number, toUserId: number, seq: number, contentStr = 'hello'): MsgModel => ({
  fromUserId,
  toUserId,
  contentStr,
  serverReceiveDate: seq,
  msgId: `m${seq}`,
  msgContentType: 1,
  sessionId: '',
  state: 1,
  seq,
})
const live = (message: MsgModel, conversation: string) =>
  service.deliver(node, [{ message, to: { users: [String(message.toUserId)], conversation } }])
const ofGroup = (fromUserId: number, seq: number): MsgModel => ({
  ...personal(fromUserId, 0, seq),
  sessionId: '5',
})
const liveOfGroup = (message: MsgModel, user: number) =>
  service.deliver(node, [{ message, to: { users: [String(user)], conversation: 'g5' } }])
const deliveredTo = (user: string) =>
  service.receipts.filter((one) => one.user === user).map(({ conversation, delivered }) => [conversation, delivered])
const shown = (client: { of(tag: string): MsgModel[] }) =>
  client.of('message').map(({ fromUserId, seq }) => `${fromUserId}:${seq}`)

t.test('a client of the seeds first gets what it missed, then what came meanwhile, nothing twice', async (t) => {
  const reading = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  backlog = async () => {
    reading.resolve()
    await release.promise
    return [personal(602, 601, 3), personal(602, 601, 5), personal(603, 601, 1)]
  }
  const client = await bind(gateway, 601, { sync: false })
  await reading.promise
  live(personal(602, 601, 5), 'p601-602')
  live(personal(602, 601, 8), 'p601-602')
  service.push(node, ['601'], 'groupListChanged', { groupId: '1', reason: 'added' })
  live(personal(602, 601, 9), 'p601-602')
  await client.settled()
  t.same(shown(client), [])
  release.resolve()
  await client.next('message', 4)
  live(personal(603, 601, 1), 'p601-603')
  live(personal(603, 601, 2), 'p601-603')
  await client.next('message', 5)
  t.same(shown(client), ['602:3', '602:5', '603:1', '602:8', '602:9', '603:2'])
  t.equal(client.of('groupListChanged').length, 1)
})

t.test('for who has missed nothing no backlog is read, and live frames go on', async (t) => {
  let reads = 0
  backlog = async () => {
    reads += 1
    return []
  }
  service.upToDate.add('691').add('692')
  const [one, other, behind] = await Promise.all([691, 692, 693].map((user) => bind(gateway, user, { sync: false })))
  live(personal(694, 691, 1), 'p691-694')
  live(personal(694, 692, 1), 'p692-694')
  live(personal(694, 693, 1), 'p693-694')
  for (const client of [one, other, behind]) t.match(await client?.next('message'), { fromUserId: 694, seq: 1 })
  t.equal(reads, 1)
})

t.test('who has missed little is shown it without a backlog being read, and what comes live behind it', async (t) => {
  let reads = 0
  backlog = async () => {
    reads += 1
    return []
  }
  service.missed.set('671', [personal(672, 671, 3), personal(672, 671, 5), ofGroup(673, 1)])
  const client = await bind(gateway, 671, { sync: false })
  live(personal(672, 671, 5), 'p671-672')
  live(personal(672, 671, 6), 'p671-672')
  await client.next('message', 3)
  t.same(shown(client), ['672:3', '672:5', '673:1', '672:6'])
  t.equal(reads, 0)
  await until(() => deliveredTo('671').some(([conversation]) => conversation === 'g5'), 'the receipts')
})

t.test('with sync a client gets live frames only, and nothing counts as delivered by itself', async (t) => {
  backlog = async () => [personal(605, 604, 1)]
  const client = await bind(gateway, 604)
  live(personal(605, 604, 2), 'p604-605')
  await client.next('message')
  const seedsOnly = await bind(gateway, 606, { sync: false })
  backlog = async () => []
  live(personal(605, 606, 1), 'p605-606')
  await seedsOnly.next('message')
  await until(() => deliveredTo('606').length > 0, 'the receipt of the other')
  t.same(shown(client), ['605:2'])
  t.same(deliveredTo('604'), [])
})

t.test('what was written counts as delivered once the pong of a later ping has come, and not before', async (t) => {
  backlog = async () => [personal(608, 607, 4)]
  const authorization = `Bearer ${await token({ sub: '607' })}`
  const client = await connect(gateway, { headers: { authorization }, autoPong: false })
  const pings: Buffer[] = []
  client.socket.on('ping', (data) => pings.push(data))
  client.send('getUserId', { userId: 607 })
  await client.next('message')
  await until(() => pings.length > 0, 'the ping')
  live(personal(608, 607, 5), 'p607-608')
  await client.next('message', 1)
  client.socket.pong('0')
  await client.settled()
  t.same(deliveredTo('607'), [])
  client.socket.pong(pings[0])
  await until(() => deliveredTo('607').length === 1, 'the first receipt')
  t.same(deliveredTo('607'), [['p607-608', 4]])
  // A ping that came before that pong speaks for nothing written since: each further one is answered.
  client.socket.on('ping', (data) => client.socket.pong(data))
  await until(() => deliveredTo('607').length === 2, 'the second receipt')
  t.same(deliveredTo('607')[1], ['p607-608', 5])
})

t.test('behind a hole that was not filled nothing counts as delivered: the next connection brings it', async (t) => {
  backlog = async () => []
  const client = await bind(gateway, 609, { sync: false })
  live(personal(610, 609, 1), 'p609-610')
  live(personal(610, 609, 3), 'p609-610')
  live(personal(611, 609, 1), 'p609-611')
  await client.next('message', 2)
  await until(() => deliveredTo('609').some(([conversation]) => conversation === 'p609-611'), 'a receipt')
  t.notOk(deliveredTo('609').some(([conversation, seq]) => conversation === 'p609-610' && Number(seq) > 1))
})

t.test('while the backlog cannot be read nothing live goes past it', async (t) => {
  let tries = 0
  backlog = async () => {
    tries += 1
    if (tries === 1) throw new AppError('UNAVAILABLE')
    return [personal(613, 612, 1)]
  }
  const client = await bind(gateway, 612, { sync: false })
  await until(() => tries === 1, 'the first try')
  live(personal(613, 612, 2), 'p612-613')
  await client.next('message', 1)
  t.same(shown(client), ['613:1', '613:2'])
})

t.test(
  'the backlog is read once every instance knows the device: what one commits before that is in it, and nothing goes past it',
  async (t) => {
    let log = [personal(642, 641, 1)]
    backlog = async () => log
    service.silentToBinds = true
    const client = await bind(gateway, 641, { sync: false })
    const told = () => service.binds.filter(({ users }) => users.includes('641')).length
    const before = told()
    await until(() => told() > before, 'it is told again')
    // Committed by one that did not know where to send 2 to, and another that did for 3.
    log = [1, 2].map((seq) => personal(642, 641, seq))
    live(personal(642, 641, 3), 'p641-642')
    await client.settled()
    t.same(shown(client), [])
    service.silentToBinds = false
    await client.next('message', 2)
    t.same(shown(client), ['642:1', '642:2', '642:3'])
  },
)

t.test('a backlog larger than a socket may have waiting reaches a client that reads, slowly', async (t) => {
  const long = '长'.repeat(5_000)
  backlog = async () => Array.from({ length: 500 }, (_, i) => personal(615, 614, i + 1, long))
  const authorization = `Bearer ${await token({ sub: '614' })}`
  const client = await connect(gateway, { headers: { authorization } })
  client.send('getUserId', { userId: 614 })
  await client.next('message', 3)
  client.socket.pause()
  await until(async () => (await bind(gateway, 616)).of('bound').length > 0, 'another to bind meanwhile')
  client.socket.resume()
  await client.next('message', 499)
  t.same(
    client.of('message').map(({ seq }) => seq),
    Array.from({ length: 500 }, (_, i) => i + 1),
  )
})

t.test('what another device sent while the backlog was read is shown in its place', async (t) => {
  const reading = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  backlog = async () => {
    reading.resolve()
    await release.promise
    return [personal(618, 617, 1), personal(618, 617, 3), personal(618, 617, 5)]
  }
  const client = await bind(gateway, 617, { sync: false })
  await reading.promise
  const toUsers = { users: ['617'], conversation: 'p617-618' }
  service.deliver(node, [
    { message: personal(618, 617, 2), to: { ...toUsers, again: { from: '618', msgId: 'm2' } } },
    { message: personal(618, 617, 3), to: toUsers },
    { message: personal(617, 618, 4), to: toUsers },
    { message: personal(618, 617, 5), to: toUsers },
    { message: personal(617, 618, 6), to: toUsers },
  ])
  await client.settled()
  release.resolve()
  await client.next('message', 4)
  t.same(shown(client), ['618:1', '618:3', '617:4', '618:5', '617:6'])
})

t.test('what was missed in groups comes in the one answer when it is there', async (t) => {
  const asked: unknown[] = []
  backlog = async (groups) => {
    asked.push(groups)
    return [ofGroup(622, 1), personal(623, 621, 1)]
  }
  const client = await bind(gateway, 621, { sync: false })
  await client.next('message', 1)
  liveOfGroup(ofGroup(622, 2), 621)
  await client.next('message', 2)
  t.same(shown(client), ['622:1', '623:1', '622:2'])
  t.same(asked, ['optional'])
})

t.test('while groups cannot be read personal messages go on, and group messages wait for theirs', async (t) => {
  const away = Promise.withResolvers<void>()
  let asked = 0
  backlog = async (groups) => {
    if (groups !== 'only') return { messages: [personal(632, 631, 3)], groupsMissing: true }
    asked += 1
    if (asked === 1) throw new AppError('UNAVAILABLE')
    await away.promise
    // As a message-service of before, which knows no parts.
    return [personal(632, 631, 3), ofGroup(633, 5), ofGroup(633, 7)]
  }
  const client = await bind(gateway, 631, { sync: false })
  await client.next('message')
  liveOfGroup(ofGroup(633, 7), 631)
  liveOfGroup(ofGroup(633, 8), 631)
  service.push(node, ['631'], 'groupChanged', { groupId: '5', reason: 'updated', byUserId: 633 })
  live(personal(632, 631, 4), 'p631-632')
  live(personal(634, 631, 1), 'p631-634')
  await client.next('message', 2)
  t.same(shown(client), ['632:3', '632:4', '634:1'])
  await until(() => deliveredTo('631').some(([conversation]) => conversation === 'p631-634'), 'a receipt')
  t.notOk(
    deliveredTo('631').some(([conversation]) => conversation === 'g5'),
    'of the group nothing counts as delivered',
  )
  t.same(client.of('groupChanged'), [], 'what happens to a group is told among its messages')
  away.resolve()
  await client.next('message', 5)
  liveOfGroup(ofGroup(633, 9), 631)
  await client.next('message', 6)
  t.same(shown(client), ['632:3', '632:4', '634:1', '633:5', '633:7', '633:8', '633:9'])
  t.equal(client.of('groupChanged').length, 1)
  await until(() => deliveredTo('631').some(([conversation, seq]) => conversation === 'g5' && seq === 9), 'the receipt')
})

t.test('of thousands who wait for groups a few ask, each in turn, and nobody for who is gone', async (t) => {
  const away = Promise.withResolvers<void>()
  let [asking, most, asked] = [0, 0, 0]
  backlog = async (groups) => {
    if (groups !== 'only') return { messages: [], groupsMissing: true }
    asked += 1
    asking += 1
    most = Math.max(most, asking)
    await away.promise
    asking -= 1
    return [ofGroup(699, 1)]
  }
  const users = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)
  const bindAll = (all: number[]) => Promise.all(all.map((user) => bind(gateway, user, { sync: false })))
  const first = await bindAll(users(1_000, 16))
  await until(() => asking === 16, 'as many as may ask')
  const [stay, go] = [await bindAll(users(1_100, 10)), await bindAll(users(1_200, 10))]
  for (const client of go) client.terminate()
  const left = () => new Set(service.unbinds.flatMap((change) => change.users))
  await until(() => users(1_200, 10).every((user) => left().has(String(user))), 'those to be gone')
  away.resolve()
  await Promise.all([...first, ...stay].map((client) => client.next('message')))
  t.same([most, asked], [16, 26])
})
