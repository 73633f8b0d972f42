import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'
import { exitGroup } from '@qunxin/contracts'
import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import { connectBus } from '../../src/index.ts'
import { MAX_UNSENT_BYTES } from '../../src/unsent.ts'

const url = new URL(process.env.QUNXIN_TEST_NATS_URL ?? 'nats://127.0.0.1:4222')
const prefix = `t${randomBytes(4).toString('hex')}`
const logger = createLogger('test', 'silent')

/** NATS behind something that can stop passing on what clients send. */
async function standstill() {
  const pairs: [Socket, Socket][] = []
  const server = createServer((client) => {
    const upstream = dial(Number(url.port), url.hostname)
    for (const socket of [client, upstream]) socket.on('error', () => {})
    client.pipe(upstream).pipe(client)
    pairs.push([client, upstream])
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of pairs.flat()) socket.destroy()
  })
  const through = new URL(url)
  through.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: through.href,
    begin() {
      for (const [client, upstream] of pairs) client.unpipe(upstream).pause()
    },
    end() {
      for (const [client, upstream] of pairs) client.pipe(upstream)
    },
  }
}

t.test(
  'a server that takes nothing is published so much and no more; then requests wait, and all goes on',
  async (t) => {
    const between = await standstill()
    const bus = await connectBus({ url: between.url, name: 'stuck', prefix, inboxPrefix: '_INBOX_stuck', logger })
    const service = await connectBus({ url: url.href, name: 'service', prefix, inboxPrefix: '_INBOX_service', logger })
    t.teardown(() => Promise.all([bus.close(), service.close()]))
    service.serve({ 'group.exitGroup': () => ({ groupName: 'there' }) }, 'group-service')
    await service.flush()
    t.equal(bus.writable, true)

    between.begin()
    const payload = Buffer.alloc(512 * 1024)
    let published = 0
    while (bus.writable) {
      bus.publish('nobody.listens', payload)
      published += payload.length
      await new Promise(setImmediate)
    }
    t.ok(published >= MAX_UNSENT_BYTES)
    t.ok(bus.unsentBytes >= MAX_UNSENT_BYTES && bus.unsentBytes < MAX_UNSENT_BYTES + 2 * payload.length)
    t.equal(bus.connected, true, 'nobody has noticed yet')
    const early = bus.request(exitGroup, { groupId: '5' }, { timeoutMs: 300 })
    await t.rejects(early, { code: 'UNAVAILABLE' })
    t.ok(bus.unsentBytes < MAX_UNSENT_BYTES + 2 * payload.length, 'and it has added nothing')

    const waiting = bus.request(exitGroup, { groupId: '5' })
    between.end()
    t.same(await waiting, { groupName: 'there' })
    t.equal(bus.writable, true)
  },
)

t.test('so many requests wait for their replies, and a further one is refused at once', async (t) => {
  const bus = await connectBus({ url: url.href, name: 'busy', prefix, inboxPrefix: '_INBOX_busy', logger })
  const silent = await connectBus({ url: url.href, name: 'silent', prefix, inboxPrefix: '_INBOX_silent', logger })
  t.teardown(() => Promise.all([bus.close(), silent.close()]))
  const asked = Promise.withResolvers<void>()
  let count = 0
  silent.subscribe('nobody.answers', () => {
    count += 1
    if (count === 5_000) asked.resolve()
  })
  await silent.flush()
  const waiting = Array.from({ length: 5_000 }, () => bus.ask('nobody.answers', '{}', { timeoutMs: 2_000 }))
  await t.rejects(bus.ask('nobody.answers', '{}'), {
    code: 'UNAVAILABLE',
    details: { problem: 'too many requests under way' },
  })
  await asked.promise
  const ended = await Promise.allSettled(waiting)
  t.ok(ended.every((one) => one.status === 'rejected' && one.reason.code === 'TIMEOUT'))
  await t.rejects(bus.ask('nobody.answers', '{}', { timeoutMs: 50 }), { code: 'TIMEOUT' }, 'there is room again')
})
