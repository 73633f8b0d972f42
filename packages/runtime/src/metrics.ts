import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'

export { Counter, Histogram, type Registry } from 'prom-client'

/** One registry per process start, so that a service started twice in one test does not collide with itself. */
export function createMetrics(service: string): Registry {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  // At its own 10 ms it alone wakes an idle process a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })
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
