import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { measureLag } from './event-loop-lag.ts'

export { Counter, Histogram, type Registry } from 'prom-client'

const NEVER_MS = 2 ** 31 - 1

/** One registry per process start, so that a service started twice in one test does not collide with itself. */
export function createMetrics(service: string): Registry {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  // Its own measuring of the event loop, which cannot be left out, wakes the process at its every sample: there is none.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS })
  measureLag(registry)
  return registry
}

/** Metrics that are read when somebody asks for them. */
export function readings(registry: Registry) {
  const registers = [registry]
  return {
    gauge: (name: string, help: string, read: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read())
        },
      }),
    /** Of a count kept elsewhere since the start. */
    counter: (name: string, help: string, read: () => number) =>
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset()
          this.inc(read())
        },
      }),
  }
}
