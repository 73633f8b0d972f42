import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startDevstack } from '@qunxin/devstack'
import { type NetFault, startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import { MongoClient } from 'mongodb'
import t, { type Test } from 'tap'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import { loneService } from './lone-service.ts'
import { isReady } from './processes.ts'

t.setTimeout(6 * 60_000)

const KINDS = ['gateway', 'group-service', 'message-service'] as const
type Server = 'NATS' | 'MongoDB' | 'Redis'

/** What Docker Compose and Kubernetes are told to give them. */
const GRACE_MS = 30_000
/** Nothing has been taken yet: there is nothing to finish. */
const STARTING_MS = 10_000

const { QUNXIN_TEST_NATS_URL, QUNXIN_TEST_MONGO_URL, QUNXIN_TEST_REDIS_URL } = process.env
const dataDir = await mkdtemp(join(tmpdir(), 'qunxin-stopping-'))
const servers = await startDevstack({
  dataDir,
  durable: false,
  env: { NATS_URL: QUNXIN_TEST_NATS_URL, MONGO_URL: QUNXIN_TEST_MONGO_URL, REDIS_URL: QUNXIN_TEST_REDIS_URL },
})
t.teardown(async () => {
  await servers.stop()
  await rm(dataDir, { recursive: true, force: true })
})

/** The environment of a system whose way to each server can be broken. */
async function breakable(t: Test) {
  const name = `t${randomBytes(4).toString('hex')}`
  const proxies = {
    NATS: await startTcpProxy(servers.natsUrl('operator')),
    MongoDB: await startTcpProxy(servers.mongoUrl),
    Redis: await startTcpProxy(servers.redisUrl),
  }
  t.teardown(async () => {
    for (const proxy of Object.values(proxies)) await proxy.stop()
    const mongo = new MongoClient(servers.mongoUrl)
    await mongo.db(name).dropDatabase()
    await mongo.close()
  })
  const port = await freePort()
  const authSecret = randomBytes(32).toString('hex')
  const env = {
    NATS_URL: proxies.NATS.url,
    MONGO_URL: proxies.MongoDB.url,
    REDIS_URL: proxies.Redis.url,
    SUBJECT_PREFIX: name,
    MONGO_DATABASE: name,
    REDIS_PREFIX: `${name}:`,
    HOST: '127.0.0.1',
    PORT: `${port}`,
    AUTH_SECRET: authSecret,
  }
  return { proxies, env, authSecret, url: `http://127.0.0.1:${port}` }
}

async function waitingSends(opsUrl: string): Promise<number> {
  const metrics = await (await fetch(`${opsUrl}/metrics`)).text()
  return Number(/^qunxin_sends_waiting\{.*\} (\d+)$/m.exec(metrics)?.[1] ?? 0)
}

const cases: [Server, NetFault['kind']][] = [
  ['NATS', 'blackhole'],
  ['NATS', 'cut'],
  ['MongoDB', 'blackhole'],
  ['MongoDB', 'cut'],
  ['Redis', 'blackhole'],
]
for (const [server, kind] of cases) {
  t.test(`with work under way and ${server} gone (${kind}) every service ends with 0 in time`, async (t) => {
    const { proxies, env, authSecret, url } = await breakable(t)
    const services = await Promise.all(KINDS.map((kind) => loneService(t, kind, env)))
    for (const { opsUrl } of services) await eventually(() => isReady(opsUrl), 'all take work')
    const newPerson = people(t, { urls: [url], authSecret })
    const [one, two] = [await newPerson(), await newPerson()]
    const socket = await one.socket()
    await socket.message({ toUserId: two.number, contentStr: 'it works' })
    const group = { groupName: 'g', memberIds: [one.number, two.number] }
    const { groupId } = (await one.post('/chat/group!createGroup', group)).data

    proxies[server].impair({ kind } as NetFault)
    socket.send('message', { toUserId: two.number, msgContentType: '1', contentStr: 'under way', msgId: 'm2' })
    socket.send('updateGroupInfo', { userId: one.number, groupId, groupName: 'under way', taskId: 't' })
    socket.send('queryGroupList', { userId: one.number, taskId: 'q' })
    if (server === 'MongoDB')
      await eventually(async () => (await waitingSends(services[2]!.opsUrl)) > 0, 'a send waits')
    const ended = await Promise.all(services.map((service) => service.stop()))
    for (const [i, { code, tookMs }] of ended.entries()) {
      t.equal(code, 0, `${KINDS[i]} ends with 0`)
      t.ok(tookMs < GRACE_MS, `${KINDS[i]} took ${Math.round(tookMs)} ms`)
    }
    t.match(await socket.closed, { code: 1001 })
  })
}

for (const server of ['NATS', 'MongoDB'] as const) {
  t.test(`a service that is still starting, because ${server} accepts and says nothing, ends with 0`, async (t) => {
    const { proxies, env } = await breakable(t)
    proxies[server].impair({ kind: 'blackhole' })
    const waiting = KINDS.filter((kind) => server === 'NATS' || kind !== 'gateway')
    const services = await Promise.all(waiting.map((kind) => loneService(t, kind, env)))
    for (const { messages } of services)
      await eventually(
        () => messages.some((said) => said.startsWith(`waiting for ${server}`)),
        'it says what it waits for',
      )
    for (const [i, { code, tookMs }] of (await Promise.all(services.map((service) => service.stop()))).entries()) {
      t.equal(code, 0, `${waiting[i]} ends with 0`)
      t.ok(tookMs < STARTING_MS, `${waiting[i]} took ${Math.round(tookMs)} ms`)
    }
  })
}
