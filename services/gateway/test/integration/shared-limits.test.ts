import { randomBytes } from 'node:crypto'
import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import { connectRedis } from '@qunxin/presence'
import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import { DEFAULT_LIMIT } from '../../src/limits/bucket.ts'
import { createRedisLedger, type Ledger } from '../../src/limits/ledger.ts'
import type { Taken } from '../../src/limits/limits.ts'
import { SharedLimits } from '../../src/limits/shared-limits.ts'
import { until } from './rig/client.ts'

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
  let questions = 0
  const limiters = Array.from({ length: count }, () => {
    const inRedis = createRedisLedger({ redis, limit: DEFAULT_LIMIT, prefix, now })
    const ledger: Ledger = {
      lease(user, asked) {
        questions += 1
        return inRedis.lease(user, asked)
      },
    }
    return new SharedLimits({ ledger, logger, now })
  })
  const frames = (gateway: number, times: number) =>
    Array.from({ length: times }, () => limiters[gateway]?.take('1', clock.now) as Taken | Promise<Taken>)
  return {
    clock,
    prefix,
    questions: () => questions,
    /** How many of so many frames of one user pass, at all the gateways named in the same instant. */
    async take(gateways: number | readonly number[], times = 1): Promise<number> {
      const taken = await Promise.all([gateways].flat().flatMap((gateway) => frames(gateway, times)))
      return taken.filter(({ ok }) => ok).length
    },
    async refusal(gateway: number) {
      const [taken] = await Promise.all(frames(gateway, 1))
      return taken
    },
  }
}

const allOf = (count: number) => Array.from({ length: count }, (_, i) => i)
const within10Percent = (passed: number, allowed: number) => passed >= 0.9 * allowed && passed <= 1.1 * allowed

for (const count of [1, 2, 3, 5])
  t.test(
    `a flood that begins at ${count} gateways in the same instant gets through as much as the limit says`,
    async (t) => {
      const { clock, take } = gateways(count)
      const begin = clock.now
      // As of many connections: far more at once than there is.
      let passed = await take(allOf(count), 300)
      t.ok(within10Percent(passed, burst), `${passed} at once`)
      const shares: string[] = []
      while (clock.now < begin + 10_000) {
        clock.now += 10
        passed += await take(allOf(count), 4)
        if ((clock.now - begin) % 1_000 > 0) continue
        const allowed = burst + ((clock.now - begin) / 1_000) * perSecond
        if (!within10Percent(passed, allowed)) shares.push((passed / allowed).toFixed(3))
      }
      t.same(shares, [], 'at any second of ten')
      const allowed = burst + 10 * perSecond
      t.ok(passed <= allowed && passed >= 0.95 * allowed, `${passed} of ${allowed} in the end`)
    },
  )

t.test('gateways that hold a little each let no more through when all of it is used at once', async (t) => {
  const { clock, take } = gateways(3)
  for (const gateway of [0, 1, 2]) t.equal(await take(gateway, 10), 10)
  clock.now += 5_000
  for (const gateway of [0, 1, 2]) await take(gateway, 4)
  clock.now += 500
  const passed = (await take([0, 1, 2], 300)) + 12
  t.ok(within10Percent(passed, burst + perSecond / 2), `${passed} in half a second`)
})

t.test('a burst passes whole, also when the user has just come from another gateway', async (t) => {
  const { clock, take } = gateways(2)
  t.equal(await take(0, 200), 200)
  t.equal(await take(0), 0)
  t.equal(await take(1, 4), 3, 'what a gateway lets through that has not asked is a debt')
  clock.now += 4_100
  t.equal(await take(1, burst), burst)
})

for (const [name, everyMs, of] of [
  ['45 a second at one gateway', 22, [0]],
  ['45 a second by turns at two', 22, [0, 1]],
  ['48 a second by turns at five', 21, [0, 1, 2, 3, 4]],
  ['9 a second at each of five', 111, [0, 1, 2, 3, 4], true],
] as [string, number, number[], boolean?][])
  t.test(`a polite user is never refused: ${name}`, async (t) => {
    const { clock, take } = gateways(5)
    const each = name.includes('each')
    let refused = 0
    for (let i = 0; i < 20_000 / everyMs; i++) {
      for (const gateway of each ? of : [of[i % of.length] ?? 0]) refused += 1 - (await take(gateway))
      clock.now += everyMs
    }
    t.equal(refused, 0)
  })

t.test('a refusal says when the next one passes, and a flood over two gateways is known as one on each', async (t) => {
  const { clock, take, refusal } = gateways(2)
  await take(0, 400)
  const refused = await refusal(0)
  if (!refused || refused.ok) return t.fail('not refused')
  t.ok(refused.retryAfterMs > 0 && refused.retryAfterMs <= 200, `${refused.retryAfterMs} ms`)
  clock.now += refused.retryAfterMs
  t.equal(await take(0), 1)
  for (let i = 0; i < 520; i++) {
    clock.now += 10
    await take([0, 1], 4)
  }
  for (const gateway of [0, 1]) {
    await take(gateway, 4)
    const last = await refusal(gateway)
    t.ok(last && !last.ok && last.floodingSinceMs >= 5_000)
  }
})

t.test('who sends a frame a second costs Redis nothing, and one who sends much a question for a slice', async (t) => {
  const { clock, prefix, take, questions } = gateways(1)
  for (let i = 0; i < 100; i++) {
    await take(0)
    clock.now += 1_000
  }
  t.equal(questions(), 0)
  t.equal(await redis.exists(`${prefix}rate:{1}`), 0)
  await take(0, 1_000)
  t.ok(questions() <= 2, `${questions()} for a burst`)
  const ttl = await redis.ttl(`${prefix}rate:{1}`)
  t.ok(ttl > 0 && ttl <= 60, 'and what is there lapses')
  clock.now += 10_000
  const before = questions()
  for (let i = 0; i < 400; i++) {
    t.equal(await take(0), 1)
    clock.now += 25
  }
  t.ok(questions() - before <= 110, `${questions() - before} for 400 frames`)
})

t.test("Redis's own clock refills the bucket", async (t) => {
  const prefix = `t${randomBytes(4).toString('hex')}:`
  const ledger = createRedisLedger({ redis, limit: DEFAULT_LIMIT, prefix })
  const { granted, tokens } = await ledger.lease('1', { wanted: 0, ahead: 0, owed: 250, back: 0 })
  t.equal(granted, 0)
  t.ok(tokens >= -50 && tokens < 0, 'more than there was is a debt')
  const nothing = { wanted: 0, ahead: 0, owed: 0, back: 0 }
  await until(async () => (await ledger.lease('1', nothing)).tokens >= tokens + 5, 'the refill')
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
    const ledger = createRedisLedger({ redis: far, limit: DEFAULT_LIMIT, prefix })
    const limits = new SharedLimits({ ledger, logger: listening })
    t.teardown(() => limits.stop())
    const take = async (user: string, frames: number) => {
      const taken = await Promise.all(Array.from({ length: frames }, () => limits.take(user, Date.now())))
      return taken.filter(({ ok }) => ok).length
    }
    proxy.cut()
    await until(() => far.status !== 'ready', 'the loss is noticed')
    t.equal(await take('1', 100), 100)
    t.equal(said.length, 1, 'it is said')
    const rest = await take('1', 1_000)
    t.ok(rest >= 100 && rest < 200, `${rest} after the first hundred: what it knows goes on counting`)
    for (const user of ['2', '3', '4']) t.equal(await take(user, 20), 20)
    t.equal(said.length, 1)

    proxy.mend()
    await until(async () => {
      await take('5', 15)
      return (await redis.exists(`${prefix}rate:{5}`)) === 1
    }, 'questions come to Redis again')
    await until(() => said.length === 2, 'it is said')
    t.same(said, ['Redis does not answer, this gateway limits users by itself', 'limits hold over all gateways again'])
  },
)
