import { groupConversation, membershipChange, partitionOf, subjects } from '@qunxin/contracts'
import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import t, { type Test } from 'tap'
import { busOwners } from '../../src/owners.ts'
import { logger, ownBus, ownConfig, until } from './servers.ts'

const PARTITIONS = 8
const GROUP = '123456789012345'
const told = subjects.partitionMembership(partitionOf(groupConversation(GROUP), PARTITIONS))

/** group-service behind a proxy, and the owner of a group, who hears and confirms when asked to. */
async function world(t: Test, settings: { timeoutMs: number; confirms: boolean }) {
  const config = ownConfig()
  const proxy = await startTcpProxy(config.NATS_URL)
  t.teardown(() => proxy.stop())
  const bus = await ownBus(t, { ...config, NATS_URL: proxy.url })
  const owner = await ownBus(t, config)
  const heard: number[] = []
  owner.subscribe(told, (message) => {
    heard.push(membershipChange.parse(message.json()).version)
    if (settings.confirms) message.respond(JSON.stringify({ lastSeq: heard.length }))
  })
  await owner.flush()
  const owners = busOwners(bus, { partitions: PARTITIONS, timeoutMs: settings.timeoutMs, logger })
  const tell = () => owners.apply({ groupId: GROUP, version: 7 })
  /** What had been told when it was done. */
  const heardWhenTold = async () => {
    await tell()
    await owner.flush()
    return heard.length
  }
  return { proxy, bus, heard, tell, heardWhenTold }
}

t.test('a confirmed change is told once', async (t) => {
  const { heard, tell } = await world(t, { timeoutMs: 5_000, confirms: true })
  t.equal(await tell(), 1, 'the seq that its owner answers')
  t.same(heard, [7])
})

t.test('a change nobody confirms is answered when the time is up', async (t) => {
  const { heard, tell } = await world(t, { timeoutMs: 50, confirms: false })
  await tell()
  t.same(heard, [7])
})

t.test('a change whose telling was lost with the connection is told again before the call is answered', async (t) => {
  const { proxy, bus, heard, heardWhenTold } = await world(t, { timeoutMs: 300, confirms: false })
  let losses = 0
  bus.onDisconnect(() => {
    losses += 1
  })
  proxy.impair({ kind: 'blackhole', direction: 'upstream' })
  const telling = heardWhenTold()
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.same(heard, [], 'it went into the hole')
  proxy.cut()
  proxy.mend()
  await until('the loss is noticed', () => losses > 0)
  t.ok((await telling) > 0, 'told before it was answered')
})

t.test(
  'a change told again has no seq: its owner may have applied it before, and that of now is too late',
  async (t) => {
    const { proxy, heard, tell } = await world(t, { timeoutMs: 300, confirms: true })
    proxy.impair({ kind: 'blackhole', direction: 'downstream' })
    const telling = tell()
    await until('the owner has applied it', () => heard.length > 0)
    proxy.cut()
    proxy.mend()
    t.equal(await telling, undefined)
    t.ok(heard.length > 1, 'told again')
  },
)

t.test('while NATS does not take what is published, a change counts as told to nobody', async (t) => {
  const { proxy, heardWhenTold } = await world(t, { timeoutMs: 50, confirms: false })
  proxy.impair({ kind: 'blackhole', direction: 'upstream' })
  const telling = heardWhenTold()
  t.equal(await Promise.race([telling, new Promise((resolve) => setTimeout(resolve, 500, 'waits'))]), 'waits')
  proxy.mend()
  t.ok((await telling) > 0)
})

t.test('a change that could not be published for too much that waits is told before it is answered', async (t) => {
  const { proxy, bus, heardWhenTold } = await world(t, { timeoutMs: 50, confirms: false })
  proxy.impair({ kind: 'blackhole', direction: 'upstream' })
  const much = new Uint8Array(512 * 1024)
  while (bus.writable) {
    bus.publish('test.much', much)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const telling = heardWhenTold()
  await new Promise((resolve) => setTimeout(resolve, 200))
  proxy.mend()
  t.ok((await telling) > 0)
})
