import { createHistogram } from 'node:perf_hooks'
import { Gauge, type Registry } from 'prom-client'
import { every } from './every.ts'

const LOOK_EVERY_MS = 250
const NS_PER_MS = 1e6
const NS_PER_S = 1e9

/**
 * How late the event loop comes to what is due, by the names that prom-client's own metrics of it have. Those sample on a timer
 * of their own, which wakes an idle process, and count the time between two samples as lag.
 */
export function measureLag(registry: Registry): void {
  const lags = createHistogram()
  let due = performance.now() + LOOK_EVERY_MS
  every(LOOK_EVERY_MS, () => {
    const now = performance.now()
    lags.record(Math.max(1, Math.round((now - due) * NS_PER_MS)))
    due = now + LOOK_EVERY_MS
  })
  const tell = (kind: string, read: () => number) => {
    const name = `nodejs_eventloop_lag_${kind}_seconds`
    const help = `Lag of the event loop since this was asked for last, ${kind}.`
    registry.removeSingleMetric(name)
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(lags.count > 0 ? read() / NS_PER_S : 0)
      },
    })
  }
  tell('min', () => lags.min)
  tell('max', () => lags.max)
  tell('mean', () => lags.mean)
  tell('stddev', () => lags.stddev)
  tell('p50', () => lags.percentile(50))
  tell('p90', () => lags.percentile(90))
  tell('p99', () => {
    const p99 = lags.percentile(99)
    // They are asked for one behind the other, this one last.
    lags.reset()
    return p99
  })
}
