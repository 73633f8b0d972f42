import t from 'tap'
import { createMetrics, every } from '../src/index.ts'

/** The lags in ms, by kind. */
async function lags(metrics: ReturnType<typeof createMetrics>): Promise<Record<string, number>> {
  const text = await metrics.metrics()
  const found = text.matchAll(/^nodejs_eventloop_lag_(\w+)_seconds\{.*\} (.*)$/gm)
  return Object.fromEntries([...found].map(([, kind, seconds]) => [kind, Number(seconds) * 1_000]))
}

t.test('what is late counts, the time between two looks does not, and asking begins anew', async (t) => {
  const alive = setInterval(() => {}, 60_000)
  t.teardown(() => clearInterval(alive))
  const metrics = createMetrics('test')
  t.match(await lags(metrics), { min: 0, max: 0, mean: 0, stddev: 0, p50: 0, p90: 0, p99: 0 })
  const beats = (count: number) =>
    new Promise<void>((resolve) => {
      const counting = every(250, () => {
        if (--count > 0) return
        counting.stop()
        resolve()
      })
    })
  await beats(1)
  const until = performance.now() + 600
  while (performance.now() < until);
  await beats(3)
  const { min = Number.NaN, max = Number.NaN } = await lags(metrics)
  t.ok(max >= 300, `the longest is ${max} ms`)
  t.ok(min < max - 100, `the shortest is ${min} ms`)
  t.match(await lags(metrics), { min: 0, max: 0, p99: 0 })
})
