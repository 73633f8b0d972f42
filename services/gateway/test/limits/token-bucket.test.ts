import t from 'tap'
import { unlimited } from '../../src/limits/limits.ts'
import { TokenBuckets } from '../../src/limits/token-bucket.ts'

const takeMany = (limits: TokenBuckets, times: number, now: number) =>
  Array.from({ length: times }, () => limits.take('1', now)).filter((taken) => taken.ok).length

t.test('a burst of 200, then 50 a second', async (t) => {
  const limits = new TokenBuckets()
  t.equal(takeMany(limits, 300, 1_000), 200)
  t.equal(takeMany(limits, 300, 2_000), 50)
  t.equal(takeMany(limits, 300, 3_000), 50)
  t.equal(takeMany(limits, 300, 600_000), 200, 'never more than a burst is saved up')
})

t.test('a refusal says after how long the next one passes', async (t) => {
  const limits = new TokenBuckets()
  takeMany(limits, 200, 0)
  t.match(limits.take('1', 0), { ok: false, retryAfterMs: 20 })
  t.match(limits.take('1', 19), { ok: false, retryAfterMs: 1 })
  t.match(limits.take('1', 20), { ok: true })
})

t.test('one user does not use up what another has', async (t) => {
  const limits = new TokenBuckets()
  takeMany(limits, 300, 0)
  t.match(limits.take('2', 0), { ok: true })
})

t.test('a flood lasts as long as nobody pauses for a second, though the sustained share gets through', async (t) => {
  const limits = new TokenBuckets()
  let flooding = 0
  for (let now = 0; now <= 6_000; now += 5) {
    const taken = limits.take('1', now)
    if (!taken.ok) flooding = Math.max(flooding, taken.floodingSinceMs)
  }
  t.ok(flooding >= 4_000, `${flooding} ms`)
  takeMany(limits, 300, 7_500)
  const again = limits.take('1', 7_600)
  t.ok(again.ok || again.floodingSinceMs <= 100, 'the pause ended it')
})

t.test('a clock that goes back gives nothing away', async (t) => {
  const limits = new TokenBuckets()
  takeMany(limits, 200, 10_000)
  t.equal(takeMany(limits, 10, 5_000), 0)
})

t.test('without limits everything passes', async (t) => {
  t.same(unlimited.take('1', 0), { ok: true })
})
