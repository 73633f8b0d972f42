import { createLogger } from '@qunxin/runtime'
import t, { type Test } from 'tap'
import { connectionId, createRegistry, createRoutes, newNodeId, openRedis } from '../../src/index.ts'
import { eventually } from './eventually.ts'
import { type PrivateRedis, privateRedis } from './private-redis.ts'

const silent = createLogger('test', 'silent')

/** What a process has that started before its Redis: nothing to wait for, and a log. */
async function earlyProcess(t: Test, redis: PrivateRedis) {
  const said: string[] = []
  const note = (_: object, message: string) => void said.push(message)
  const logger = Object.assign(Object.create(silent), {
    warn: note,
    info: (message: string) => void said.push(message),
  })
  const client = await openRedis(redis.url, logger)
  t.teardown(() => client.disconnect())
  return { client, said }
}

async function lateRedis(t: Test): Promise<PrivateRedis> {
  const redis = await privateRedis(t)
  await redis.kill()
  return redis
}

t.test('a client is there before Redis is, says that it is away and finds it when it comes', async (t) => {
  const redis = await lateRedis(t)
  const { client, said } = await earlyProcess(t, redis)
  await t.rejects(client.get('key'), 'a command does not wait')
  await eventually(() => said.length > 0, 'it is said')
  await redis.start()
  await eventually(() => client.status === 'ready', 'it has connected')
  t.same(said, [`Redis at ${new URL(redis.url).host} is away, going on without`, 'Redis is there'])
  await redis.kill()
  await eventually(() => said.length === 3, 'the loss is said')
  await redis.start()
  await eventually(() => said.length === 4, 'the return is said')
  t.same(said.slice(2), ['Redis connection lost, reconnecting', 'Redis connection is back'])
})

t.test('sockets that came before Redis are written when it comes, but for those that have gone', async (t) => {
  const redis = await lateRedis(t)
  const { client } = await earlyProcess(t, redis)
  const node = newNodeId('early')
  const registry = createRegistry({ redis: client, node, logger: silent, heartbeatMs: 60_000, renewMs: 60_000 })
  t.teardown(() => registry.stop())
  const [stays, goes] = [connectionId(), connectionId()]
  t.same(await registry.add('1', stays), { connections: [], excess: [] })
  t.same(await registry.add('2', goes), { connections: [], excess: [] })
  await registry.remove('2', goes)
  const routes = createRoutes({ redis: client, logger: silent, liveNodes: () => [node] })
  t.same([...((await routes.nodesOf(['2'])).get('2') ?? [])], [node], 'as long as it is away anybody may be anywhere')

  await redis.start()
  await eventually(async () => (await client.exists(`node:${node}`).catch(() => 0)) === 1, 'the node vouches')
  t.same(await client.hgetall('presence:{1}'), { [stays]: node })
  t.equal(await client.exists('presence:{2}'), 0)
  await eventually(async () => (await routes.nodesOf(['2'])).get('2')?.size === 0, 'routes are exact')
})

t.test('a process may stop before Redis has ever come', async (t) => {
  const redis = await lateRedis(t)
  const { client } = await earlyProcess(t, redis)
  const registry = createRegistry({ redis: client, node: newNodeId('early'), logger: silent })
  await registry.add('1', connectionId())
  await registry.stop()
  client.disconnect()
  await t.rejects(client.get('key'))
})
