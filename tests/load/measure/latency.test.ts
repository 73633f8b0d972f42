import { randomInt } from 'node:crypto'
import t from 'tap'
import { LatencyRecorder } from './latency.ts'

/** Deterministic, so that a failure can be looked at again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

t.test('percentiles are those of the sorted values, to three digits', async (t) => {
  const seed = randomInt(2 ** 31)
  t.comment(`seed ${seed}`)
  const random = randomFrom(seed)
  // Most are short and some take seconds, as under a fault.
  const values = Array.from({ length: 20_000 }, () => 0.5 + 20 * random() + (random() < 0.01 ? 8_000 * random() : 0))
  const recorder = new LatencyRecorder()
  for (const value of values) recorder.record(1_000_000, 1_000_000 + value)
  const sorted = values.toSorted((a, b) => a - b)
  const of = (percentile: number) => sorted[Math.ceil((percentile * sorted.length) / 100 - 1e-6) - 1]!
  const found = recorder.percentiles()
  t.equal(found.count, 20_000)
  for (const [name, percentile] of [
    ['p50', 50],
    ['p90', 90],
    ['p99', 99],
    ['p999', 99.9],
    ['most', 100],
  ] as const) {
    t.ok(
      Math.abs(found[name] - of(percentile)) <= 0.01 + of(percentile) / 900,
      `${name}: ${found[name]}, ${of(percentile)}`,
    )
  }
  for (const [percentile, ms] of found.curve!) {
    if (percentile > 0) t.ok(Math.abs(ms - of(percentile)) <= 0.01 + of(percentile) / 900, `${percentile} %`)
  }
})

t.test('the curve ends where there are no values to tell more', async (t) => {
  const recorder = new LatencyRecorder()
  for (let value = 1; value <= 100; value++) recorder.record(0, value)
  t.equal(recorder.percentiles().curve?.at(-1)?.[0], 99)
})

t.test('a minute and more is counted too, and a clock that steps back counts as nothing', async (t) => {
  const recorder = new LatencyRecorder()
  recorder.record(0, 300_000)
  recorder.record(10, 9)
  const { count, most, p50 } = recorder.percentiles()
  t.equal(count, 2)
  t.ok(Math.abs(most - 300_000) < 300)
  t.equal(p50, 0)
})

t.test('without a value there are zeros and no curve', async (t) => {
  t.strictSame(new LatencyRecorder().percentiles(), { count: 0, p50: 0, p90: 0, p99: 0, p999: 0, most: 0, curve: [] })
})
