import {
  getPresence,
  partitionOf,
  queryPresence,
  subjects,
  TYPING_GROUP_MOST,
  type TypingNotice,
  typing,
} from '@qunxin/contracts'
import { connectionId, connectRedis, createRegistry } from '@qunxin/presence'
import t from 'tap'
import { eventually, fakeGateway, fakeGroups, logger, PARTITIONS, world } from './harness.ts'

const w = await world()
t.teardown(() => w.end())
const gateways = await Promise.all(['node-1', 'node-2'].map(async (node) => fakeGateway(await w.connect(node), node)))
t.teardown(() => {
  for (const gateway of gateways) gateway.stop()
})
const [one, two] = gateways as [(typeof gateways)[0], (typeof gateways)[0]]
const groups = fakeGroups(await w.connect('group-service'))
const client = await w.connect('client')
const redis = await connectRedis(w.environment.REDIS_URL, logger)
t.teardown(() => redis.disconnect())
const registries = gateways.map(({ node }) =>
  createRegistry({ redis, node, logger, prefix: w.environment.REDIS_PREFIX, heartbeatMs: 300, renewMs: 1_000 }),
)
t.teardown(() => Promise.all(registries.map((registry) => registry.stop())))
const [onOne, onTwo] = registries as [(typeof registries)[0], (typeof registries)[0]]
await w.start()
await w.start()

const online = async (...userIds: string[]) => {
  const { users } = await client.request(getPresence, { userIds })
  return users.filter((user) => user.online).map(({ userId }) => userId)
}
const states = async (user: string, ...userIds: string[]) =>
  (await client.request(queryPresence, { userIds }, { user })).users

t.test('a user is online while some gateway that lives holds a connection of theirs', async (t) => {
  const [first, second] = [connectionId(), connectionId()]
  await onOne.add('11', first)
  await onTwo.add('11', second)
  await eventually('both gateways to have said so', async () => (await online('11', '12').catch(() => []))[0] === '11')
  await onOne.remove('11', first)
  t.same(await online('11'), ['11'])
  await onTwo.remove('11', second)
  t.same(await online('11'), [], 'at once')
})

t.test('who is on a gateway that died is away once its heartbeat has lapsed', async (t) => {
  const itsRedis = await connectRedis(w.environment.REDIS_URL, logger)
  t.teardown(() => itsRedis.disconnect())
  const dying = createRegistry({
    redis: itsRedis,
    node: 'node-3',
    logger,
    prefix: w.environment.REDIS_PREFIX,
    heartbeatMs: 60_000,
  })
  t.teardown(() => dying.stop())
  await dying.add('13', connectionId())
  await eventually('it to be found', async () => (await online('13')).length === 1)
  await redis.del(`${w.environment.REDIS_PREFIX}node:node-3`)
  t.same(await online('13'), [])
})

t.test('a client is told of contacts only, by the instance that does not own the conversation too', async (t) => {
  await one.send(one.entry('21', { user: '22' }), one.entry('23', { user: '21' }))
  await onTwo.add('22', connectionId())
  await onOne.add('24', connectionId())
  for (let asked = 0; asked < 6; asked++)
    t.same(await states('21', '24', '23', '22'), [
      { userId: 23, online: false },
      { userId: 22, online: true },
    ])
  t.same(await states('24', '21'), [])
})

t.test('without Redis nobody is said to be away', async (t) => {
  const alone = await world()
  t.teardown(() => alone.end())
  await alone.start({ REDIS_URL: 'redis://127.0.0.1:1' })
  const asking = (await alone.connect('client')).request(getPresence, { userIds: ['11'] })
  await t.rejects(asking, { code: 'UNAVAILABLE' })
})

t.test(
  'typing reaches the others on both gateways as a push about the conversation, and the database not at all',
  async (t) => {
    const crowd = Array.from({ length: TYPING_GROUP_MOST + 1 }, (_, i) => String(3_000 + i))
    groups.create('50', '31', '32', '33')
    groups.create('51', '31', '32', ...crowd)
    await Promise.all([
      onOne.add('32', connectionId()),
      onTwo.add('33', connectionId()),
      onTwo.add('34', connectionId()),
    ])
    const tell = (notice: TypingNotice) =>
      client.publish(subjects.partitionTyping(partitionOf(notice.conversation, PARTITIONS)), JSON.stringify(notice))
    const pushesAt = ({ seen }: typeof one) => seen.filter(({ frame }) => frame.tag === 'typing')
    tell({ user: '39', conversation: 'g50' })
    tell({ user: '31', conversation: 'g51' })
    tell({ user: '39', conversation: 'p31-34' })
    tell({ user: '31', conversation: 'g50' })
    await eventually('it on both', () => gateways.every((gateway) => pushesAt(gateway).length > 0))
    await client.request(typing, { peerUserId: '34' }, { user: '31' })
    await eventually('the other one', () => pushesAt(two).length > 1)
    t.match(pushesAt(two), [
      { item: { conversation: 'g50', users: ['33'] }, frame: { data: { sessionId: '50', peerUserId: 0, userId: 31 } } },
      {
        item: { conversation: 'p31-34', users: ['34'] },
        frame: { data: { sessionId: '', peerUserId: 31, userId: 31 } },
      },
    ])
    t.match(pushesAt(one), [{ item: { conversation: 'g50', users: ['32'] } }])
    for (const { item } of [...pushesAt(one), ...pushesAt(two)]) t.equal(item.seq, undefined)
    t.equal(await w.db.collection('messages').countDocuments({ conversation: { $in: ['g50', 'p31-34'] } }), 0)
    t.equal(await w.db.collection('conversations').countDocuments({ conversation: 'p31-34' }), 0)
  },
)
