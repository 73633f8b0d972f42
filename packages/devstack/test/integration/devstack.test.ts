import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '@nats-io/transport-node'
import { MongoClient } from 'mongodb'
import t from 'tap'
import { type Devstack, startDevstack } from '../../src/devstack.ts'
import { portIsFree } from '../../src/ports.ts'

t.setTimeout(180_000)

/** Without the URLs a person may have set, and without Docker: what a bare machine does. */
const env = { ...process.env, NATS_URL: '', MONGO_URL: '', REDIS_URL: '', DEVSTACK_DOCKER: 'off' }

function pidOf(devstack: Devstack, name: string): number {
  return devstack.processes.find((one) => one.name === name)?.pid ?? 0
}

async function withDocuments<T>(devstack: Devstack, use: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(devstack.mongoUrl)
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

t.test('the servers keep their data over a restart, also when a port was taken meanwhile', async (t) => {
  const dataDir = t.testdir()
  const first = await startDevstack({ dataDir, env })
  t.same(
    first.processes.map(({ name }) => name),
    ['nats-server', 'mongod', 'redis-server'],
  )
  await withDocuments(first, async (client) => {
    const kept = client.db('shop').collection('kept')
    await kept.insertOne({ n: 1 }, { writeConcern: { w: 'majority', j: true } })
    const session = client.startSession()
    await session.withTransaction(() => kept.updateOne({ n: 1 }, { $set: { n: 2 } }, { session }))
    await session.endSession()
  })
  await first.stop()
  for (const { pid } of first.processes) t.throws(() => process.kill(pid, 0), 'nothing is left running')

  const { mongo, nats } = JSON.parse(await readFile(join(dataDir, 'ports.json'), 'utf8'))
  t.ok(await portIsFree(mongo))
  const squatter = createServer((socket) => socket.destroy()).listen(mongo, '127.0.0.1')
  t.teardown(() => squatter.close())

  const second = await startDevstack({ dataDir, env })
  t.teardown(() => second.stop())
  t.notMatch(second.mongoUrl, `:${mongo}/`)
  t.match(second.natsUrl('operator'), `:${nats}`)
  t.equal(await withDocuments(second, (client) => client.db('shop').collection('kept').countDocuments({ n: 2 })), 1)
})

t.test('a server that is killed comes back with its data, and its new process is told', async (t) => {
  const dataDir = t.testdir()
  let changes = 0
  const lines: string[] = []
  const devstack = await startDevstack({
    dataDir,
    env,
    onChange: () => {
      changes += 1
    },
    progress: (line) => lines.push(line),
  })
  t.teardown(() => devstack.stop())
  const before = changes
  const killed = pidOf(devstack, 'mongod')
  await withDocuments(devstack, async (client) => {
    const kept = client.db('shop').collection('kept')
    await kept.insertOne({ n: 1 }, { writeConcern: { w: 'majority', j: true } })
    process.kill(killed, 'SIGKILL')
    while (!lines.some((line) => line.startsWith('mongod is back'))) await sleep(20)
    t.equal(await kept.countDocuments(), 1)
  })
  t.not(pidOf(devstack, 'mongod'), killed)
  t.ok(changes > before)
  t.ok(lines.some((line) => line.startsWith(`mongod (pid ${killed}) ended: signal SIGKILL`)))
})

t.test('servers named in the environment are used, and neither started nor stopped', async (t) => {
  const { QUNXIN_TEST_NATS_URL, QUNXIN_TEST_MONGO_URL, QUNXIN_TEST_REDIS_URL } = process.env
  const given = { NATS_URL: QUNXIN_TEST_NATS_URL, MONGO_URL: QUNXIN_TEST_MONGO_URL, REDIS_URL: QUNXIN_TEST_REDIS_URL }
  const devstack = await startDevstack({ dataDir: t.testdir(), env: given })
  t.same(
    devstack.processes.map(({ pid }) => pid),
    [0, 0, 0],
  )
  t.equal(devstack.natsUrl('integration'), QUNXIN_TEST_NATS_URL)
  t.equal(devstack.mongoUrl, QUNXIN_TEST_MONGO_URL)
  t.equal(devstack.redisUrl, QUNXIN_TEST_REDIS_URL)
  await devstack.stop()
  const { username: user, password: pass, host } = new URL(QUNXIN_TEST_NATS_URL ?? '')
  const nats = await connect({ servers: host, ...(user === '' ? {} : { user, pass }) })
  await nats.close()
})

t.test('a MongoDB that does not answer is named, and what was started is stopped again', async (t) => {
  const dataDir = t.testdir()
  const start = startDevstack({ dataDir, env: { ...env, MONGO_URL: 'mongodb://127.0.0.1:9/?replicaSet=rs0' } })
  await t.rejects(start, { name: 'SetupError', message: /MONGO_URL does not answer/ })
  const { nats, redis } = JSON.parse(await readFile(join(dataDir, 'ports.json'), 'utf8'))
  t.ok(await portIsFree(nats))
  t.ok(await portIsFree(redis))
})
