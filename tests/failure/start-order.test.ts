import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startDevstack } from '@qunxin/devstack'
import { startTcpProxy, type TcpProxy } from '@qunxin/devstack/tcp-proxy'
import { MongoClient } from 'mongodb'
import t, { type Test } from 'tap'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import { loneService } from './lone-service.ts'
import { isReady } from './processes.ts'

t.setTimeout(4 * 60_000)

type Kind = 'gateway' | 'group-service' | 'message-service'
type Server = 'NATS' | 'MongoDB' | 'Redis'

const waitsFor: Record<Kind, Server[]> = {
  gateway: ['NATS'],
  'group-service': ['NATS', 'MongoDB'],
  'message-service': ['NATS', 'MongoDB', 'Redis'],
}
const { QUNXIN_TEST_NATS_URL, QUNXIN_TEST_MONGO_URL, QUNXIN_TEST_REDIS_URL } = process.env
const dataDir = await mkdtemp(join(tmpdir(), 'qunxin-order-'))
const servers = await startDevstack({
  dataDir,
  durable: false,
  env: { NATS_URL: QUNXIN_TEST_NATS_URL, MONGO_URL: QUNXIN_TEST_MONGO_URL, REDIS_URL: QUNXIN_TEST_REDIS_URL },
})
t.teardown(async () => {
  await servers.stop()
  await rm(dataDir, { recursive: true, force: true })
})

/** Stands before a server that is up, so that a test decides when it seems to be: at `mend`. */
async function gateTo(t: Test, serverUrl: string): Promise<TcpProxy> {
  const proxy = await startTcpProxy(serverUrl)
  t.teardown(() => proxy.stop())
  proxy.cut()
  return proxy
}

/** Starts services and servers in that order, and shows that the system works in the end. */
async function comesUp(t: Test, order: readonly (Kind | Server)[]): Promise<void> {
  const name = `t${randomBytes(4).toString('hex')}`
  const gates = {
    NATS: await gateTo(t, servers.natsUrl('operator')),
    MongoDB: await gateTo(t, servers.mongoUrl),
    Redis: await gateTo(t, servers.redisUrl),
  }
  const port = await freePort()
  const authSecret = randomBytes(32).toString('hex')
  const env = {
    NATS_URL: gates.NATS.url,
    MONGO_URL: gates.MongoDB.url,
    REDIS_URL: gates.Redis.url,
    SUBJECT_PREFIX: name,
    MONGO_DATABASE: name,
    REDIS_PREFIX: `${name}:`,
    HOST: '127.0.0.1',
    PORT: `${port}`,
    AUTH_SECRET: authSecret,
  }
  t.teardown(async () => {
    const mongo = new MongoClient(servers.mongoUrl)
    await mongo.db(name).dropDatabase()
    await mongo.close()
  })
  const up = new Set<Server>()
  const services = new Map<Kind, string>()
  for (const part of order) {
    if (part === 'NATS' || part === 'MongoDB' || part === 'Redis') {
      gates[part].mend()
      up.add(part)
      continue
    }
    const service = await loneService(t, part, env)
    services.set(part, service.opsUrl)
    const missing = waitsFor[part].filter((server) => !up.has(server))
    if (missing.length > 0)
      await eventually(
        () => service.messages.some((said) => missing.some((server) => said.startsWith(`waiting for ${server}`))),
        `${part} says that it waits for one of ${missing.join(', ')}`,
      )
  }
  for (const [kind, opsUrl] of services) await eventually(() => isReady(opsUrl), `${kind} takes work`)

  const newPerson = people(t, { urls: [`http://127.0.0.1:${port}`], authSecret })
  const [one, two] = [await newPerson(), await newPerson()]
  const [sender, receiver] = [await one.socket(), await two.socket()]
  const group = { groupName: 'g', memberIds: [one.number, two.number] }
  const { groupId } = (await one.post('/chat/group!createGroup', group)).data
  t.match(await sender.message({ sessionId: groupId, contentStr: 'it works' }), { seq: 1, state: 1 })
  t.match(await receiver.next('message'), { contentStr: 'it works' })
}

t.test('services that start before any server wait, say so and recover', async (t) => {
  await comesUp(t, ['gateway', 'message-service', 'group-service', 'Redis', 'MongoDB', 'NATS'])
})

t.test('servers may come between the services, in another order', async (t) => {
  await comesUp(t, ['group-service', 'NATS', 'message-service', 'Redis', 'gateway', 'MongoDB'])
})

t.test('without Redis everything starts, and messages come', async (t) => {
  await comesUp(t, ['NATS', 'MongoDB', 'gateway', 'message-service', 'group-service'])
})

for (const order of [
  ['message-service', 'group-service', 'gateway'],
  ['gateway', 'group-service', 'message-service'],
] as const)
  t.test(`services may start in the order ${order.join(', ')}`, async (t) => {
    await comesUp(t, ['NATS', 'MongoDB', 'Redis', ...order])
  })
