import t from 'tap'
import { connectionId, createRoutes, newNodeId } from '../../src/index.ts'
import { eventually } from './eventually.ts'
import { privateRedis } from './private-redis.ts'
import { logger, type RedisPresence, redisPresence } from './redis-presence.ts'

const nodesOf = async (presence: RedisPresence, user: string, routes = presence.reader()) =>
  [...((await routes.nodesOf([user])).get(user) ?? [])].sort()

t.test('right after a flush everybody is found on every live gateway (interleaving 9)', async (t) => {
  const redis = await privateRedis(t)
  const presence = await redisPresence(t, redis.url)
  const one = await presence.gateway(newNodeId('a'), { heartbeatMs: 60_000 })
  const two = await presence.gateway(newNodeId('b'), { heartbeatMs: 60_000 })
  await one.add('1', connectionId())
  await presence.redis.flushall()
  const routes = presence.reader()
  t.same(await nodesOf(presence, '1', routes), [one.node, two.node].sort())
  t.equal(routes.cached('1'), undefined, 'and that is not remembered')
})

t.test('after a flush the gateways write their sockets again, and routes are exact again', async (t) => {
  const redis = await privateRedis(t)
  const presence = await redisPresence(t, redis.url)
  const [one, two] = [await presence.gateway(newNodeId('a')), await presence.gateway(newNodeId('b'))]
  const users = Array.from({ length: 1_200 }, (_, i) => String(i + 1))
  for (const user of users) await one.add(user, connectionId())
  await two.add('2', connectionId())
  await presence.redis.flushall()
  const routes = presence.reader()
  await eventually(async () => {
    const found = await routes.nodesOf(users)
    t.ok(
      users.every((user) => found.get(user)?.has(one.node)),
      'nobody is missing at any moment',
    )
    return users.every((user) => found.get(user)?.size === (user === '2' ? 2 : 1))
  }, 'each user is found exactly where it is')
  await eventually(async () => {
    await routes.nodesOf(['1'])
    return routes.cached('1') !== undefined
  }, 'it is remembered')
})

t.test('a gateway whose heartbeat names another epoch is asked for everything', async (t) => {
  const redis = await privateRedis(t)
  const presence = await redisPresence(t, redis.url)
  const gateway = await presence.gateway(newNodeId('a'), { heartbeatMs: 60_000 })
  t.same(await nodesOf(presence, '1'), [])
  await presence.redis.set(`${presence.prefix}presence:epoch`, 'another')
  t.same(await nodesOf(presence, '1'), [gateway.node])
})

t.test('a live gateway without a heartbeat is asked for everything, and its entries stay', async (t) => {
  const redis = await privateRedis(t)
  const presence = await redisPresence(t, redis.url)
  const gateway = await presence.gateway(newNodeId('a'), { heartbeatMs: 60_000 })
  await gateway.add('1', connectionId())
  await presence.redis.del(`${presence.prefix}node:${gateway.node}`)
  t.same(await nodesOf(presence, '1'), [gateway.node])
  t.same(await nodesOf(presence, '2'), [gateway.node])
  t.equal(await presence.redis.hlen(`${presence.prefix}presence:{1}`), 1)
})

t.test('entries of a dead process are removed by the reader, those of the living stay', async (t) => {
  const redis = await privateRedis(t)
  const presence = await redisPresence(t, redis.url)
  const [dead, alive] = [await presence.gateway(newNodeId('a')), await presence.gateway(newNodeId('b'))]
  await dead.add('1', connectionId())
  await alive.add('1', connectionId())
  await presence.kill(dead.node)
  t.same(await nodesOf(presence, '1'), [alive.node])
  await eventually(
    async () => (await presence.redis.hlen(`${presence.prefix}presence:{1}`)) === 1,
    'the void entry is gone',
  )
})

t.test('while Redis is dead everybody is found on every live gateway, without waiting for it', async (t) => {
  const redis = await privateRedis(t)
  const presence = await redisPresence(t, redis.url)
  const [one, two] = [await presence.gateway(newNodeId('a')), await presence.gateway(newNodeId('b'))]
  await one.add('1', connectionId())
  await redis.kill()
  await eventually(() => presence.redis.status !== 'ready', 'the reader has noticed')
  t.same(await nodesOf(presence, '1'), [one.node, two.node].sort())
  await one.remove('1', connectionId())
  t.same(await two.add('2', connectionId()), { connections: [], excess: [] }, 'adding goes on')
})

t.test('what came and went while Redis was dead is right when it is back', async (t) => {
  const redis = await privateRedis(t)
  const presence = await redisPresence(t, redis.url)
  const gateway = await presence.gateway(newNodeId('a'))
  const leaving = connectionId()
  await gateway.add('1', leaving)
  await redis.kill()
  await gateway.remove('1', leaving)
  await gateway.add('2', connectionId())
  await redis.start()
  const routes = presence.reader()
  await eventually(async () => {
    const found = await routes.nodesOf(['1', '2'])
    return found.get('1')?.size === 0 && found.get('2')?.has(gateway.node) === true
  }, 'only the one who is there is found')
})

t.test('while Redis does not answer, routes come all the same and the next ones do not wait again', async (t) => {
  const redis = await privateRedis(t)
  const presence = await redisPresence(t, redis.url)
  const gateway = await presence.gateway(newNodeId('a'))
  const routes = presence.reader({ loadTimeoutMs: 50 })
  await gateway.add('1', connectionId())
  redis.pause()
  t.teardown(() => redis.resume())
  t.same(await nodesOf(presence, '1', routes), [gateway.node])
  t.same(await nodesOf(presence, '2', routes), [gateway.node])
  redis.resume()
  await eventually(async () => (await nodesOf(presence, '3', routes)).length === 0, 'routes are read again')
})

t.test('a notice that comes while a load is under way is in its result', async (t) => {
  const redis = await privateRedis(t)
  const presence = await redisPresence(t, redis.url)
  const [one, two] = [await presence.gateway(newNodeId('a')), await presence.gateway(newNodeId('b'))]
  await one.add('1', connectionId())
  const routes = presence.reader()
  redis.pause()
  const load = routes.nodesOf(['1', '2'])
  routes.bound(two.node, ['2'])
  routes.unbound(one.node, ['1'])
  redis.resume()
  const found = await load
  t.same([...(found.get('1') ?? [])], [])
  t.same([...(found.get('2') ?? [])], [two.node])
  t.same([...(routes.cached('2') ?? [])], [two.node])
})

t.test('a load that began before everything was dropped reads again', async (t) => {
  const redis = await privateRedis(t)
  const presence = await redisPresence(t, redis.url)
  const gateway = await presence.gateway(newNodeId('a'))
  let asked = 0
  const liveNodes = () => {
    asked += 1
    return presence.live
  }
  const routes = createRoutes({ redis: presence.redis, logger, prefix: presence.prefix, liveNodes })
  redis.pause()
  const load = routes.nodesOf(['1'])
  const adding = gateway.add('1', connectionId())
  routes.dropAll()
  redis.resume()
  await adding
  t.same([...((await load).get('1') ?? [])], [gateway.node])
  t.equal(asked, 2)
})

t.test('sockets stay findable much longer than their keys last', async (t) => {
  const redis = await privateRedis(t)
  const presence = await redisPresence(t, redis.url)
  const gateway = await presence.gateway(newNodeId('a'))
  await gateway.add('1', connectionId())
  const key = `${presence.prefix}presence:{1}`
  await presence.redis.expire(key, 1)
  await eventually(async () => (await presence.redis.ttl(key)) > 1, 'the key is renewed')
  await presence.redis.del(key)
  await eventually(async () => (await presence.redis.exists(key)) === 1, 'an entry that got lost is written again')
})

t.test('who is online is not guessed: neither right after a flush nor while Redis is away', async (t) => {
  const redis = await privateRedis(t)
  const presence = await redisPresence(t, redis.url)
  const slow = await presence.gateway(newNodeId('a'), { heartbeatMs: 60_000 })
  const routes = presence.reader()
  await slow.add('1', connectionId())
  t.same(await routes.online(['1', '2']), new Set(['1']))
  await presence.redis.flushall()
  await t.rejects(routes.online(['1']), { code: 'UNAVAILABLE' })
  await presence.kill(slow.node)
  const gateway = await presence.gateway(newNodeId('b'))
  await gateway.add('1', connectionId())
  await presence.redis.flushall()
  const answers = new Set<string>(['UNAVAILABLE'])
  await eventually(async () => {
    const answer = await routes.online(['1', '2']).then(
      (online) => [...online].join(),
      ({ code }) => code,
    )
    answers.add(answer)
    return answer === '1'
  }, 'the gateway has written its sockets again')
  t.same(answers, new Set(['UNAVAILABLE', '1']))
  await redis.kill()
  await t.rejects(routes.online(['1']), { code: 'UNAVAILABLE' })
})

t.test('a gateway that told of a user and could not write it is believed while it lives', async (t) => {
  const redis = await privateRedis(t)
  const presence = await redisPresence(t, redis.url)
  const gateway = await presence.gateway(newNodeId('a'))
  const routes = presence.reader()
  routes.bound(gateway.node, ['1'])
  t.same(await routes.online(['1', '2']), new Set(['1']))
  await presence.kill(gateway.node)
  t.same(await routes.online(['1', '2']), new Set())
})
