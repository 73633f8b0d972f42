import { randomBytes } from 'node:crypto'
import { connectRedis } from '@qunxin/presence'
import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import { DEFAULT_LIMIT } from '../../src/limits/bucket.ts'
import { createRedisLedger, type Ledger } from '../../src/limits/ledger.ts'
import { SharedLimits } from '../../src/limits/shared-limits.ts'
import { until } from './rig/client.ts'
import { startTcpProxy } from './rig/tcp-proxy.ts'

const { burst, perSecond } = DEFAULT_LIMIT
const redisUrl = process.env.QUNXIN_TEST_REDIS_URL ?? 'redis://127.0.0.1:6379'
const logger = createLogger('test', 'silent')
const redis = await connectRedis(redisUrl, logger)
t.teardown(() => redis.disconnect())

/** Gateways' limiters on one Redis, whose clock and theirs is `now`. */
function gateways(count: number, options: { startAt?: number } = {}) {
  const prefix = `t${randomBytes(4).toString('hex')}:`
  const clock = { now: options.startAt ?? 1_000_000 }
  const now = () => clock.now
  const pending = new Set<Promise<unknown>>()
  let charges = 0
  const limiters = Array.from({ length: count }, (_, i) => {
    const inRedis = createRedisLedger({ redis, node: `gw-${i}`, limit: DEFAULT_LIMIT, prefix, now })
    const ledger: Ledger = {
      charge(user, tokens) {
        charges += 1
        const charge = inRedis.charge(user, tokens)
        pending.add(charge)
        return charge.finally(() => pending.delete(charge))
      },
    }
    return new SharedLimits({ ledger, logger, now })
  })
  return {
    clock,
    prefix,
    charges: () => charges,
    /** How many of so many frames of one user pass at that gateway, all at once. */
    take(gateway: number, frames = 1): number {
      let passed = 0
      for (let i = 0; i < frames; i++) if (limiters[gateway]?.take('1', clock.now).ok) passed += 1
      return passed
    },
    refusal: (gateway: number) => limiters[gateway]?.take('1', clock.now),
    /** Every charge is answered, and what the answers made due as well. */
    async answered(): Promise<void> {
      while (pending.size > 0) {
        await Promise.all(pending)
        await new Promise(setImmediate)
      }
    },
  }
}

for (const count of [1, 2, 5])
  t.test(`a flood over ${count} gateways gets through as much as the limit says, at any moment`, async (t) => {
    const { clock, take, answered } = gateways(count)
    let passed = 0
    const begin = clock.now
    const shares: string[] = []
    for (; clock.now <= begin + 8_000; clock.now += 10) {
      for (let gateway = 0; gateway < count; gateway++) passed += take(gateway, 4)
      await answered()
      if ((clock.now - begin) % 1_000 > 0 || clock.now - begin < 1_000) continue
      const allowed = burst + ((clock.now - begin) / 1_000) * perSecond
      shares.push((passed / allowed).toFixed(3))
    }
    t.ok(
      shares.every((share) => Number(share) >= 0.9 && Number(share) <= 1.1),
      shares.join(' '),
    )
  })

t.test('what comes to two gateways in the same instant is a debt, and is refused later', async (t) => {
  const { clock, take, answered } = gateways(2)
  const begin = clock.now
  let passed = take(0, 300) + take(1, 300)
  t.equal(passed, 2 * burst, 'each lets a burst through that it knows nothing against')
  for (; clock.now < begin + 3_900; clock.now += 10) {
    await answered()
    passed += take(0, 4) + take(1, 4)
  }
  t.ok(passed <= 2 * burst + 5, `${passed} before the debt is paid`)
  for (; clock.now <= begin + 12_000; clock.now += 10) {
    passed += take(0, 4) + take(1, 4)
    await answered()
  }
  const allowed = burst + 12 * perSecond
  t.ok(passed >= 0.9 * allowed && passed <= 1.1 * allowed, `${passed} of ${allowed}`)
})

t.test('gateways that know of each other share what there is, so that not even an instant exceeds it', async (t) => {
  const { clock, take, answered } = gateways(2)
  for (const gateway of [0, 1, 0, 1]) {
    take(gateway, 10)
    await answered()
  }
  clock.now += 5_000
  const passed = take(0, 300) + take(1, 300)
  t.ok(passed <= burst && passed >= 0.9 * burst, `${passed} at once`)
})

t.test('a burst passes whole, also when the user has just come from another gateway', async (t) => {
  const { clock, take, answered } = gateways(2)
  t.equal(take(0, 200), 200)
  await answered()
  t.equal(take(0), 0)
  clock.now += 4_000
  let passed = 0
  for (let i = 0; i < burst; i++) {
    passed += take(1)
    await answered()
  }
  t.equal(passed, burst)
})

for (const [name, everyMs, of] of [
  ['45 a second at one gateway', 22, [0]],
  ['45 a second by turns at two', 22, [0, 1]],
  ['48 a second by turns at five', 21, [0, 1, 2, 3, 4]],
  ['9 a second at each of five', 111, [0, 1, 2, 3, 4], true],
] as [string, number, number[], boolean?][])
  t.test(`a polite user is never refused: ${name}`, async (t) => {
    const { clock, take, answered } = gateways(5)
    const each = name.includes('each')
    let refused = 0
    for (let i = 0; i < 20_000 / everyMs; i++) {
      for (const gateway of each ? of : [of[i % of.length] ?? 0]) refused += 1 - take(gateway)
      await answered()
      clock.now += everyMs
    }
    t.equal(refused, 0)
  })

t.test('a refusal says when the next one passes, and a flood over two gateways is known as one on each', async (t) => {
  const { clock, take, refusal, answered } = gateways(2)
  for (let i = 0; i < 100; i++) {
    take(0, 4)
    take(1, 4)
    await answered()
  }
  const refused = refusal(0)
  if (!refused || refused.ok) return t.fail('not refused')
  t.ok(refused.retryAfterMs > 0 && refused.retryAfterMs <= 200, `${refused.retryAfterMs} ms`)
  clock.now += refused.retryAfterMs
  t.equal(take(0), 1)
  for (let i = 0; i < 500; i++) {
    clock.now += 10
    take(0, 4)
    take(1, 4)
    await answered()
  }
  for (const gateway of [0, 1]) {
    take(gateway, 4)
    const last = refusal(gateway)
    t.ok(last && !last.ok && last.floodingSinceMs >= 5_000)
  }
})

t.test('who sends a frame a second costs Redis nothing, and a flood one question at a time', async (t) => {
  const { clock, prefix, take, charges, answered } = gateways(1)
  for (let i = 0; i < 100; i++) {
    take(0)
    clock.now += 1_000
  }
  t.equal(charges(), 0)
  t.equal(await redis.exists(`${prefix}rate:{1}`), 0)
  take(0, 1_000)
  t.equal(charges(), 1)
  await answered()
  t.equal(charges(), 2)
  const ttl = await redis.ttl(`${prefix}rate:{1}`)
  t.ok(ttl > 0 && ttl <= 60, 'and what is there lapses')
})

t.test("Redis's own clock refills the bucket", async (t) => {
  const prefix = `t${randomBytes(4).toString('hex')}:`
  const ledger = createRedisLedger({ redis, node: 'gw', limit: DEFAULT_LIMIT, prefix })
  const { tokens: before, gateways } = await ledger.charge('1', 250)
  t.equal(gateways, 1)
  t.ok(before >= -50 && before < 0, 'more than there was is a debt')
  await until(async () => (await ledger.charge('1', 0)).tokens >= before + 5, 'the refill')
})

t.test(
  'without Redis each gateway limits by itself and says so once, and together again when it is back',
  async (t) => {
    const proxy = await startTcpProxy(redisUrl)
    t.teardown(() => proxy.stop())
    const far = await connectRedis(proxy.url, logger)
    t.teardown(() => far.disconnect())
    const prefix = `t${randomBytes(4).toString('hex')}:`
    const said: string[] = []
    const listening = Object.assign(Object.create(logger), {
      warn: (_: object, message: string) => void said.push(message),
      info: (message: string) => void said.push(message),
    })
    const ledger = createRedisLedger({ redis: far, node: 'gw', limit: DEFAULT_LIMIT, prefix })
    const limits = new SharedLimits({ ledger, logger: listening })
    t.teardown(() => limits.stop())
    const take = (user: string, frames: number) => {
      let passed = 0
      for (let i = 0; i < frames; i++) if (limits.take(user, Date.now()).ok) passed += 1
      return passed
    }
    proxy.cut()
    await until(() => far.status !== 'ready', 'the loss is noticed')
    t.ok(take('1', 100) === 100)
    await until(() => said.length === 1, 'it is said')
    const rest = take('1', 1_000)
    t.ok(rest >= 100 && rest < 200, `${rest} after the first hundred: what it knows goes on counting`)
    for (const user of ['2', '3', '4']) t.equal(take(user, 20), 20)
    t.equal(said.length, 1)

    proxy.mend()
    await until(async () => {
      take('5', 15)
      return (await redis.exists(`${prefix}rate:{5}`)) === 1
    }, 'charges come to Redis again')
    await until(() => said.length === 2, 'it is said')
    t.same(said, ['Redis does not answer, this gateway limits users by itself', 'limits hold over all gateways again'])
  },
)
