import { randomBytes } from 'node:crypto'
import { connectBus } from '@qunxin/bus'
import { DEAD_AFTER_MS, subjects } from '@qunxin/contracts'
import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import { createLogger, Readiness } from '@qunxin/runtime'
import t from 'tap'
import { MessageInstances } from '../../src/binding/message-instances.ts'
import { until } from './rig/client.ts'

const natsUrl = process.env.QUNXIN_TEST_NATS_URL ?? 'nats://127.0.0.1:4222'
const prefix = `t${randomBytes(4).toString('hex')}`
const logger = createLogger('test', 'silent')
const proxy = await startTcpProxy(natsUrl)
t.teardown(() => proxy.stop())
const bus = await connectBus({ url: proxy.url, prefix, name: 'gateway', inboxPrefix: '_INBOX_gateway', logger })
const speaker = await connectBus({ url: natsUrl, prefix, name: 'message', inboxPrefix: '_INBOX_message', logger })
t.teardown(() => Promise.all([bus.close(), speaker.close()]))
const instances = new MessageInstances({ bus, partitions: 8, readiness: new Readiness({}), logger })
t.teardown(() => instances.stop())
await bus.flush()
let changes = 0
instances.onChanged(() => {
  changes += 1
})
const say = (instance: string, more: object = {}) =>
  speaker.publish(subjects.messageInstances, JSON.stringify({ instance, epoch: 1, partitions: 8, ...more }))
const live = () => [...instances.live]

t.test('an instance is there from its first word until it leaves, or has been silent for too long', async (t) => {
  say('a')
  say('b')
  await until(() => live().length === 2, 'both')
  say('b', { leaving: true })
  await until(() => live().length === 1, 'one to be gone')
  t.same(live(), ['a'])
  await until(() => live().length === 0, 'the silent one to be gone')
  t.equal(changes, 4)
})

t.test('nobody is dead because this process stood still: who speaks again stays', async (t) => {
  say('c')
  await until(() => live().length === 1, 'it')
  const before = changes
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, DEAD_AFTER_MS + 1_000)
  say('d')
  await until(() => live().includes('d'), 'd')
  t.same(live(), ['c', 'd'])
  t.equal(changes, before + 1)
})

t.test('nobody is dead because NATS was away', async (t) => {
  say('e')
  await until(() => live().includes('e'), 'e')
  proxy.cut()
  await until(() => !bus.connected, 'the loss to be noticed')
  const speaking = setInterval(() => say('e'), 200)
  t.teardown(() => clearInterval(speaking))
  await new Promise((resolve) => setTimeout(resolve, DEAD_AFTER_MS + 1_000))
  t.ok(live().includes('e'))
  proxy.mend()
  await until(() => bus.connected, 'NATS to be back')
  await bus.flush()
  say('f')
  await until(() => live().includes('f'), 'f')
  t.ok(live().includes('e'))
})
