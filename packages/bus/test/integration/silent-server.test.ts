import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { groupList } from '@qunxin/contracts'
import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import { createLogger } from '@qunxin/runtime'
import t, { type Test } from 'tap'
import { connectBus } from '../../src/index.ts'

const natsUrl = process.env.QUNXIN_TEST_NATS_URL ?? 'nats://127.0.0.1:4222'
const prefix = `t${randomBytes(4).toString('hex')}`
const connect = (url: string, name: string) =>
  connectBus({ url, name, prefix, inboxPrefix: `_INBOX_${name}`, logger: createLogger('test', 'silent') })

/** Far more than the bounds of both together, far less than NATS takes to notice. */
const SOON_MS = 8_000

async function ends(t: Test, what: string, ending: Promise<void>): Promise<void> {
  const limit = delay(SOON_MS, 'late', { ref: false })
  t.not(await Promise.race([ending, limit]), 'late', what)
}

for (const fault of ['blackhole', 'cut'] as const)
  t.test(`a bus whose server is behind a ${fault} stops serving and closes all the same`, async (t) => {
    const proxy = await startTcpProxy(natsUrl)
    t.teardown(() => proxy.stop())
    const bus = await connect(proxy.url, 'service')
    bus.serve({ 'group.groupList': () => ({ groupList: [] }) }, 'group-service')
    await bus.flush()
    proxy.impair({ kind: fault })
    await ends(t, 'serving', bus.stopServing())
    await ends(t, 'the connection', bus.close())
    t.equal(bus.connected, false)
  })

t.test('a request that is under way is answered, the next goes to another process, and none is missed', async (t) => {
  const [one, two, caller] = await Promise.all(['one', 'two', 'caller'].map((name) => connect(natsUrl, name)))
  if (!one || !two || !caller) throw new Error('three were asked for')
  t.teardown(() => Promise.all([one, two, caller].map((bus) => bus.close())))
  const taken = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const info = (groupId: string) => ({ groupList: [{ groupId }] })
  const slowly = async () => {
    taken.resolve()
    await finish.promise
    return info('1')
  }
  one.serve({ 'group.groupList': slowly }, 'group-service')
  await one.flush()
  const ask = () => caller.request(groupList, {}, { user: '1' })
  const underWay = ask()
  await taken.promise
  two.serve({ 'group.groupList': () => info('2') }, 'group-service')
  await two.flush()

  const stopped = one.stopServing()
  await one.flush()
  for (let i = 0; i < 20; i++) t.match(await ask(), info('2'))
  finish.resolve()
  t.match(await underWay, info('1'))
  await stopped
})
