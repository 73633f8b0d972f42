import { setTimeout as delay } from 'node:timers/promises'
import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import t from 'tap'
import { eventually, ownedBy, PARTITIONS, world } from './harness.ts'

t.setTimeout(60_000)

t.test('a start during which NATS goes away waits for it', async (t) => {
  const w = await world()
  t.teardown(() => w.end())
  const proxy = await startTcpProxy(w.environment.NATS_URL)
  t.teardown(() => proxy.stop())
  const starting = w.start({ NATS_URL: proxy.url })
  const watermarks = w.db.collection('watermarks')
  // What comes behind it takes half a second and waits for NATS.
  await eventually('its watermark', async () => (await watermarks.countDocuments()) > 0)
  proxy.cut()
  await delay(2_000)
  proxy.mend()
  const service = await starting
  await eventually('everything to be its own', async () => (await ownedBy(service.opsUrl)) === PARTITIONS)
})
