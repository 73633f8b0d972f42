import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from '@nats-io/transport-node'
import { MongoClient } from 'mongodb'
import t from 'tap'
import { startDevstack } from '../../src/devstack.ts'
import { startSystem } from '../../src/system/system.ts'
import { lives } from '../lives.ts'

t.setTimeout(180_000)

const { QUNXIN_TEST_NATS_URL, QUNXIN_TEST_MONGO_URL, QUNXIN_TEST_REDIS_URL } = process.env

t.test('a running system is handled process by process', async (t) => {
  const own = `t${randomBytes(4).toString('hex')}`
  const seen: Record<string, string | undefined> = {}
  const system = await startSystem({
    dataDir: t.testdir(),
    env: { NATS_URL: QUNXIN_TEST_NATS_URL, MONGO_URL: QUNXIN_TEST_MONGO_URL, REDIS_URL: QUNXIN_TEST_REDIS_URL },
    serviceEnv: {
      SUBJECT_PREFIX: own,
      MONGO_DATABASE: own,
      REDIS_PREFIX: `${own}:`,
      EVENTS_MAX_BYTES: `${64 * 1024 * 1024}`,
    },
    serviceEnvOf: ({ name }, planned) => {
      seen[name] = planned.NATS_URL
      return { LOG_LEVEL: name === 'group-service-1' ? 'debug' : 'warn' }
    },
  })
  t.teardown(async () => {
    await system.stop()
    const mongo = new MongoClient(QUNXIN_TEST_MONGO_URL ?? '')
    await mongo.db(own).dropDatabase()
    await mongo.close()
  })
  const names = () => system.processes.filter(({ pid }) => pid !== 0).map(({ name }) => name)
  const logOf = (name: string) => readFileSync(`${system.dataDir}/logs/${name}.log`, 'utf8')

  t.same(Object.keys(seen), ['gateway-1', 'group-service-1', 'message-service-1'])
  t.equal(seen['gateway-1'], QUNXIN_TEST_NATS_URL, 'each is shown what it would get')
  t.match(logOf('group-service-1'), /"level":/)
  t.equal(logOf('message-service-1'), '', 'each has settings of its own')

  await t.test(
    'a service that is added takes work and is listed; one that is removed drains and is gone',
    async (t) => {
      t.equal(await system.add('message-service'), 'message-service-2')
      t.same(names(), ['gateway-1', 'group-service-1', 'message-service-1', 'message-service-2'])
      const { pid } = system.process('message-service-1')
      t.match(await system.remove('message-service-1'), { code: 0, signal: null, drainMs: Number })
      t.notOk(lives(pid))
      t.same(names(), ['gateway-1', 'group-service-1', 'message-service-2'])
      t.equal(await system.add('message-service'), 'message-service-3', 'a name is not given again')
      t.equal(await system.add('gateway'), 'gateway-2')
      t.equal((await fetch(`${system.gateways[1]?.url}/canConnect`)).status, 200)
    },
  )

  await t.test('a kill and a restart resolve when the successor takes work, under the old name', async (t) => {
    const gateway = system.process('gateway-1')
    const [first, { url }] = [gateway.pid, system.gateways[0] as { url: string }]
    await gateway.kill()
    const second = gateway.pid
    t.not(second, first)
    t.equal((await fetch(`${url}/canConnect`)).status, 200)
    t.match(await gateway.restart(), { code: 0, signal: null, drainMs: Number, readyMs: Number })
    t.not(gateway.pid, second)
    t.equal((await fetch(`${url}/canConnect`)).status, 200)
  })

  await t.test('what the system did not start cannot be handled', async (t) => {
    t.throws(() => system.process('mongod'), /mongod is not a process of this system/)
    t.throws(() => system.process('message-service-1'), /not a process/)
    await t.rejects(system.remove('message-service-9'), /There is no message-service-9/)
  })
})

t.test('the servers are handled as well, and keep their ports and data over it', async (t) => {
  const devstack = await startDevstack({
    dataDir: t.testdir(),
    env: { PATH: process.env.PATH, DEVSTACK_DOCKER: 'off' },
    restartWithinMs: 500,
  })
  t.teardown(() => devstack.stop())
  const handle = (name: string) => devstack.servers.find((one) => one.name === name)?.handle
  const mongo = new MongoClient(devstack.mongoUrl)
  t.teardown(() => mongo.close())
  const kept = mongo.db('shop').collection('kept')
  const insert = (n: number) => kept.insertOne({ n }, { writeConcern: { w: 'majority', j: true } })
  await insert(1)
  t.match(await handle('mongod')?.restart(), { code: 0, signal: null })
  await insert(2)
  await handle('mongod')?.kill()
  t.equal(await kept.countDocuments(), 2)

  t.match(await handle('redis-server')?.restart(), { code: 0, signal: null })
  t.match(await handle('nats-server')?.restart(), { signal: null })
  const { host, username: user, password: pass } = new URL(devstack.natsUrl('operator'))
  const nats = await connect({ servers: host, user, pass })
  await nats.flush()
  await nats.close()
})
