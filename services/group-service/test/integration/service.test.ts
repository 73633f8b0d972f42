import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { operations } from '@qunxin/contracts'
import { startTcpProxy, type TcpProxy } from '@qunxin/devstack/tcp-proxy'
import t, { type Test } from 'tap'
import { startGroupService } from '../../src/service.ts'
import { newUsers, outcomeOf } from '../rules/world.ts'
import { logger, ownBus, ownConfig, ownDatabase, ownerTold, until } from './servers.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** A server that is not there until `mend`. */
async function proxyTo(t: Test, url: string): Promise<TcpProxy> {
  const proxy = await startTcpProxy(url)
  t.teardown(() => proxy.stop())
  proxy.cut()
  return proxy
}

const readiness = async (opsUrl: string) => {
  const response = await fetch(`${opsUrl}/readyz`)
  return { status: response.status, ...((await response.json()) as { waitingFor: Record<string, string> }) }
}

t.test('it waits for its servers, serves when they are there, and comes back when they were away', async (t) => {
  const direct = ownConfig()
  const [nats, mongo] = [await proxyTo(t, direct.NATS_URL), await proxyTo(t, direct.MONGO_URL)]
  await ownDatabase(t, direct)
  const bus = await ownBus(t, direct)
  const config = {
    ...direct,
    NATS_URL: nats.url,
    MONGO_URL: mongo.url,
    MONGO_TIMEOUT_MS: 500,
    OWNER_TIMEOUT_MS: 1,
  }
  const starting = startGroupService(config, { logger })
  nats.mend()
  mongo.mend()
  const service = await starting
  t.teardown(() => service.stop())
  t.equal((await readiness(service.opsUrl)).status, 200)

  const [user = ''] = newUsers(1)
  const list = () => outcomeOf(bus.request(operations['group.groupList'], {}, { user, timeoutMs: 3_000 }))
  const create = () =>
    outcomeOf(
      bus.request(operations['group.createGroup'], { groupName: '群', memberIds: [] }, { user, timeoutMs: 3_000 }),
    )
  t.equal(await list(), 'done')

  mongo.cut()
  t.equal(await list(), 'UNAVAILABLE')
  t.equal(await create(), 'UNAVAILABLE')
  await until('it says that MongoDB is away', async () => 'mongo' in (await readiness(service.opsUrl)).waitingFor)
  mongo.mend()
  await until('it is ready again', async () => (await readiness(service.opsUrl)).status === 200)
  await until('it serves again', async () => (await create()) === 'done')

  nats.cut()
  await until('it says that NATS is away', async () => 'nats' in (await readiness(service.opsUrl)).waitingFor)
  nats.mend()
  await until('it is ready again', async () => (await readiness(service.opsUrl)).status === 200)
  t.equal(await list(), 'done')
})

t.test('a start that is called off while it waits ends', async (t) => {
  const config = ownConfig()
  const nats = await proxyTo(t, config.NATS_URL)
  const calledOff = new AbortController()
  const starting = startGroupService({ ...config, NATS_URL: nats.url }, { logger, signal: calledOff.signal })
  calledOff.abort()
  await t.rejects(starting, { name: 'AbortError' })
})

t.test(
  'a call is answered when nobody confirms its change, and told before the answer when somebody does',
  async (t) => {
    const config = ownConfig()
    await ownDatabase(t, config)
    const bus = await ownBus(t, config)
    const service = await startGroupService(config, { logger })
    t.teardown(() => service.stop())
    const [owner = '', user = ''] = newUsers(2)
    const { groupId } = await bus.request(
      operations['group.createGroup'],
      { groupName: '群', memberIds: [] },
      { user: owner },
    )
    const told = await ownerTold(bus)
    await bus.flush()
    await bus.request(operations['group.joinGroup'], { groupId }, { user })
    t.match(told, [{ groupId, version: 2, added: [user] }])
  },
)

t.test('with another number of partitions than message-service it is not ready', async (t) => {
  const config = ownConfig()
  await ownDatabase(t, config)
  const bus = await ownBus(t, config)
  const service = await startGroupService(config, { logger })
  t.teardown(() => service.stop())
  bus.publish('instances.message', JSON.stringify({ instance: 'm1', epoch: 1, partitions: 8 }))
  await until('it says so', async () => 'partitions' in (await readiness(service.opsUrl)).waitingFor)
  await until('it forgets an instance that is gone', async () => (await readiness(service.opsUrl)).status === 200)
})

t.test('a stop answers the calls under way and publishes their facts', async (t) => {
  const config = ownConfig({ OWNER_TIMEOUT_MS: '1' })
  const db = await ownDatabase(t, config)
  const bus = await ownBus(t, config)
  const service = await startGroupService(config, { logger })
  const users = newUsers(20)
  const calls = users.map((user) =>
    bus.request(operations['group.createGroup'], { groupName: '群', memberIds: [] }, { user, timeoutMs: 3_000 }),
  )
  await until('one is stored', async () => (await db.groups.countDocuments()) > 0)
  await service.stop()
  const made = await Promise.all(calls.map(outcomeOf))
  const stored = await db.groups.countDocuments()
  t.equal(made.filter((outcome) => outcome === 'done').length, stored, 'what was done was answered')
  t.equal(await db.outbox.countDocuments({ waiting: true }), 0)
})

t.test('the process says when it is ready and ends with 0 on SIGTERM', async (t) => {
  const config = ownConfig()
  await ownDatabase(t, config)
  await ownBus(t, config)
  const env = Object.fromEntries(Object.entries(config).map(([name, value]) => [name, String(value)]))
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  for await (const chunk of child.stdout) {
    output += chunk
    if (output.includes('"msg":"ready"')) break
  }
  const ready = output.split('\n').find((line) => line.includes('"msg":"ready"')) ?? '{}'
  t.match(JSON.parse(ready), { service: 'group-service', opsUrl: /^http:\/\/127\.0\.0\.1:\d+$/ })
  child.kill('SIGTERM')
  t.equal(await ended, 0)
})

t.test('the process refuses settings it cannot use, naming each', async (t) => {
  const env = { ...process.env, OPS_PORT: 'x', GROUP_MEMBERS_MAX: '0' }
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  let said = ''
  for await (const chunk of child.stderr) said += chunk
  t.equal(await ended, 1)
  for (const name of ['OPS_PORT', 'GROUP_MEMBERS_MAX']) t.match(said, name)
})
