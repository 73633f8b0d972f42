import type { Bus } from '@qunxin/bus'
import { type GroupId, groupConversation, type OfflineFact, subjects, type UserId } from '@qunxin/contracts'
import { createRegistry, openRedis } from '@qunxin/presence'
import t, { type Test } from 'tap'
import { eventually, fakeGateway, fakeGroups, logger, ownedBy, world } from './harness.ts'

t.setTimeout(300_000)
/** Of what takes a while by itself. */
const PATIENCE_MS = 60_000
const w = await world()
t.teardown(() => w.end())
const groups = fakeGroups(await w.connect('group-service'))
const facts = factsOn(await w.connect('push'))
const services = [await w.start(), await w.start()]

/** Everything that `offline` has told, fact by fact. */
function factsOn(bus: Bus): OfflineFact[] {
  const all: OfflineFact[] = []
  bus.subscribe(subjects.messageEvent('offline'), ({ data }) => {
    all.push(...JSON.parse(Buffer.from(data).toString()))
  })
  return all
}

/** A gateway that holds users, as far as Redis and message-service see it. */
async function gatewayWith(t: Test, node: string, users: readonly UserId[] = [], of = w) {
  const redis = await openRedis(of.environment.REDIS_URL, logger)
  const registry = createRegistry({ redis, node, logger, prefix: of.environment.REDIS_PREFIX })
  const bus = await of.connect(node)
  const gateway = await fakeGateway(bus, node, { repeatMs: 500 })
  let lives = true
  const kill = () => {
    lives = false
    gateway.stop()
    gateway.takes(false)
    gateway.confirms(false)
    redis.disconnect()
  }
  t.teardown(async () => {
    if (!lives) return
    await registry.stop()
    gateway.leave()
    kill()
  })
  const connect = async (...more: UserId[]) => {
    for (const user of more) await registry.add(user, `${node}/${user}`)
    let confirmed = 0
    await bus.gather(subjects.presenceBind, JSON.stringify({ node, users: more }), {
      enough: () => ++confirmed === (of === w ? services.length : 1),
      timeoutMs: 5_000,
    })
  }
  await connect(...users)
  return { ...gateway, connect, kill }
}

const namesOf = (msgIds: readonly string[], of = facts) =>
  of
    .filter(({ msgId }) => msgIds.includes(msgId))
    .flatMap(({ userIds, seq }) => userIds.map((user) => `${seq}:${user}`))

/** Resolves when a message whose receiver nobody holds was told of: what was sent in front of it, in its lane, is decided too. */
async function told(msgId: string, of = facts): Promise<OfflineFact> {
  return eventually(`${msgId} is told of`, () => of.find((fact) => fact.msgId === msgId))
}

let next = 1_000
const newUsers = (count: number): UserId[] => Array.from({ length: count }, () => String(next++))
const newGroup = (...members: UserId[]): GroupId => groups.create(String(next++), ...members)

t.test('who has no connection is told of with the message, who has one is not, nor is the sender', async (t) => {
  const [one, there, away] = newUsers(3) as [UserId, UserId, UserId]
  const gateway = await gatewayWith(t, 'n-1', [one, there])
  const toThere = gateway.entry(one, { user: there })
  const toAway = gateway.entry(one, { user: away }, { text: '你好', sentAt: 5 })
  const byAway = gateway.entry(away, { user: there })
  const [, sent] = await gateway.send(toThere, toAway, byAway)
  const fact = await told(toAway.msgId)
  t.same(fact, {
    at: sent && 'at' in sent && sent.at,
    sessionId: '',
    fromUserId: one,
    toUserId: away,
    msgId: toAway.msgId,
    seq: 1,
    msgContentType: 1,
    contentStr: '你好',
    userIds: [away],
  })
  await gateway.send(toAway)
  const last = gateway.entry(one, { user: away })
  await gateway.send(last)
  await told(last.msgId)
  t.same(namesOf([toThere.msgId, toAway.msgId, byAway.msgId]), [`1:${away}`], 'and once, though it was sent twice')
})

t.test('of a group those who are nowhere are told of together, with who muted it', async (t) => {
  const [one, there, quiet, away] = newUsers(4) as [UserId, UserId, UserId, UserId]
  const group = newGroup(one, there, quiet, away)
  const conversation = groupConversation(group)
  await w.db
    .collection<{ _id: string }>('preferences')
    .insertOne({ _id: `${quiet}/${conversation}`, ...{ user: quiet, conversation, version: 1, muted: true } })
  const gateway = await gatewayWith(t, 'n-2', [one, there])
  const entry = gateway.entry(one, { group })
  await gateway.send(entry)
  const fact = await told(entry.msgId)
  t.match(fact, { sessionId: group, toUserId: '', userIds: [quiet, away], mutedUserIds: [quiet] })
  groups.store(group, { removed: [away] })
  await groups.tell({ groupId: group, version: 2, removed: [away] })
  const later = gateway.entry(one, { group })
  await gateway.send(later)
  t.same((await told(later.msgId)).userIds, [quiet], 'and who is no member any more is not')
})

t.test(
  'users of a killed gateway are told of once it is silent, who came back elsewhere has it or is told of',
  async (t) => {
    const [one, lost, back] = newUsers(3) as [UserId, UserId, UserId]
    const group = newGroup(one, lost, back)
    const living = await gatewayWith(t, 'n-3', [one])
    const killed = await gatewayWith(t, 'n-4', [lost, back])
    await living.send(living.entry(one, { group }))
    await eventually('both gateways have it', () => killed.messages(groupConversation(group)).length > 0)
    const names = () => namesOf([...sent, ...after].map(({ msgId }) => msgId)).sort()
    killed.kill()
    // Redis says for another 15 s that they are there.
    const sent = Array.from({ length: 20 }, () => living.entry(one, { group }))
    await living.send(...sent)
    await living.connect(back)
    const after = [living.entry(one, { group }), living.entry(one, { user: lost })]
    await living.send(...after)
    const ofLost = () => new Set(names().filter((name) => name.endsWith(`:${lost}`)))
    await eventually('everything is told of', () => ofLost().size >= 22)
    t.same([...ofLost()], [...sent.map((_, i) => `${i + 2}:${lost}`), `1:${lost}`, `22:${lost}`].sort())
    // Whoever is back before the silence is noticed gets what was not confirmed, and is not told of.
    const toBack = living.messages(groupConversation(group)).filter(({ item }) => item.users.includes(back))
    const had = new Set([...toBack.map(({ item }) => `${item.seq}:${back}`), ...names()])
    t.same(
      [...sent, after[0]].map((_, i) => `${i + 2}:${back}`).filter((name) => !had.has(name)),
      [],
    )
    t.notOk(names().includes(`22:${back}`), 'what was sent since then they have')
  },
)

t.test('while nobody can say who is connected nobody is told of', async (t) => {
  const away = await world()
  t.teardown(() => away.end())
  const here = factsOn(await away.connect('push'))
  await away.start({ REDIS_URL: 'redis://127.0.0.1:1' })
  const gateway = await fakeGateway(await away.connect('n-5'), 'n-5')
  t.teardown(() => gateway.stop())
  const [one, other] = newUsers(2) as [UserId, UserId]
  const answers = await gateway.send(gateway.entry(one, { user: other }))
  t.match(answers, [{ seq: 1 }])
  await eventually('it is delivered to where they may be', () => gateway.seen.length > 0)
  const stored = Promise.withResolvers<void>()
  ;(await away.connect('audit')).subscribe(subjects.messageEvent('stored'), () => stored.resolve())
  await gateway.send(gateway.entry(one, { user: other }))
  await stored.promise
  t.same(here, [])
})

t.test('when the owner stops or changes, everybody is told of all the same', async (t) => {
  const gateway = await gatewayWith(t, 'n-6')
  const pairs = Array.from({ length: 16 }, () => newUsers(2) as [UserId, UserId])
  const send = async () => {
    const entries = pairs.map(([one, other]) => gateway.entry(one, { user: other }))
    await gateway.send(...entries)
    return entries
  }
  const sent = await send()
  const third = await w.start()
  services.push(third)
  sent.push(...(await send()))
  const sending = send()
  await third.stop()
  services.pop()
  sent.push(...(await sending), ...(await send()))
  const wanted = pairs.flatMap(([, other]) => [1, 2, 3, 4].map((seq) => `${seq}:${other}`))
  const names = () => new Set(namesOf(sent.map(({ msgId }) => msgId)))
  await eventually('everybody is told of', () => names().size >= wanted.length)
  t.same([...names()].sort(), wanted.sort())
})

t.test(
  'an instance that stops just after a gateway was killed tells of what that gateway had not confirmed',
  async (t) => {
    const living = await gatewayWith(t, 'n-8')
    const pairs = Array.from({ length: 16 }, () => newUsers(2) as [UserId, UserId])
    const leaving = await w.start()
    services.push(leaving)
    const killed = await gatewayWith(
      t,
      'n-9',
      pairs.map(([, other]) => other),
    )
    t.ok(await ownedBy(leaving.opsUrl), 'it owns partitions')
    killed.kill()
    const entries = pairs.map(([one, other]) => living.entry(one, { user: other }))
    await living.send(...entries)
    services.pop()
    await leaving.stop()
    const names = () => new Set(namesOf(entries.map(({ msgId }) => msgId)))
    await eventually('everybody is told of', () => names().size >= pairs.length)
    t.same([...names()].sort(), pairs.map(([, other]) => `1:${other}`).sort())
  },
)

t.test('what was given up before a gateway died is read back from the log', async (t) => {
  const small = await world()
  t.teardown(() => small.end())
  const here = factsOn(await small.connect('push'))
  const { opsUrl } = await small.start({ UNCONFIRMED_NODE_BYTES: '3000' })
  const [one, lost] = newUsers(2) as [UserId, UserId]
  const living = await gatewayWith(t, 'n-10', [], small)
  const killed = await gatewayWith(t, 'n-11', [lost], small)
  killed.kill()
  for (let n = 1; n <= 40; n++) await living.send(living.entry(one, { user: lost }))
  const seqs = () => new Set(here.map(({ seq }) => seq))
  await eventually('the last ones are told of', () => seqs().has(40))
  const metrics = await (await fetch(`${opsUrl}/metrics`)).text()
  t.match(metrics, /^qunxin_deliveries_given_up_total\{.*\} [1-9]/m)
  await eventually('so are the first ones', () => seqs().size === 40, PATIENCE_MS)
  t.ok(here.every(({ userIds }) => userIds.join() === lost))
})

t.test('9,000 who are away from a group are told of in events of 500, while its messages go on', async (t) => {
  const members = newUsers(10_000)
  const [one] = members as [UserId]
  const group = newGroup(...members)
  const gateway = await gatewayWith(t, 'n-7', members.slice(0, 1_000))
  const pair = newUsers(2) as [UserId, UserId]
  await gateway.connect(...pair)
  // Members and routes are cold once.
  await gateway.send(gateway.entry(one, { group }))
  const entries = Array.from({ length: 20 }, () => gateway.entry(one, { group }))
  const times: number[] = []
  for (const entry of entries) {
    const start = performance.now()
    await gateway.send(entry, gateway.entry(pair[0], { user: pair[1] }))
    times.push(performance.now() - start)
  }
  const waited = facts.filter(({ sessionId }) => sessionId === group).length
  t.comment(`answers after ${times.map(Math.round).join(' ')} ms, ${waited} facts by then`)
  const names = () => new Set(namesOf(entries.map(({ msgId }) => msgId)))
  await eventually('all are told of', () => names().size >= 20 * 9_000, PATIENCE_MS)
  const theirs = facts.filter(({ msgId }) => entries.some((entry) => entry.msgId === msgId))
  t.equal(names().size, 20 * 9_000)
  t.ok(theirs.every(({ userIds }) => userIds.length <= 500))
})
