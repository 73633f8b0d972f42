import type { ProcessUse, RunResult } from '../result.ts'

export interface Figure {
  /** `acknowledged a second` */
  says: string
  unit?: 'ms' | 's' | 'µs' | 'KiB' | '%'
  /** Undefined when the run has no such thing. */
  of(result: RunResult): number | undefined
}

/** What is read from a run for the performance table. */
export const figures = {
  acknowledged: { says: 'acknowledged a second', of: ({ counts, seconds }) => counts.acknowledged / seconds },
  delivered: { says: 'delivered a second', of: ({ counts, seconds }) => counts.delivered / seconds },
  deliverP50: { says: 'deliver p50', unit: 'ms', of: ({ latency }) => latency.delivered?.p50 },
  deliverP99: { says: 'deliver p99', unit: 'ms', of: ({ latency }) => latency.delivered?.p99 },
  replayP99: { says: 'replay p99', unit: 'ms', of: ({ latency }) => latency.replayed?.p99 },
  everDelivered: {
    says: 'delivered in the end',
    unit: '%',
    of: ({ verdict: { checked, violations } }) =>
      100 * (1 - (violations.undelivered + violations.lost) / Math.max(1, checked.acknowledged)),
  },
  cpuPerMessage: {
    says: 'CPU per message, all servers',
    unit: 'µs',
    of: (result) => perMessage(result, allOf(result.processes)),
  },
  cpuPerDelivery: {
    says: 'CPU per delivery, all servers',
    unit: 'µs',
    of: (result) => perDelivery(result, allOf(result.processes)),
  },
  kibPerConnection: {
    says: 'resident in the gateway per connection',
    unit: 'KiB',
    of: (result) => result.figures?.kibPerConnection,
  },
  gatewayCpu: {
    says: 'CPU of the gateway, of a core',
    unit: '%',
    of: ({ processes, seconds }) => (100 * allOf(processes, 'gateway')) / seconds,
  },
  serversCpu: {
    says: 'CPU of all servers, of a core',
    unit: '%',
    of: ({ processes, seconds }) => (100 * allOf(processes)) / seconds,
  },
  boundPerSecond: { says: 'bound a second', of: (result) => result.figures?.boundPerSecond },
  boundP99: { says: 'from opening to bound, p99', unit: 'ms', of: ({ latency }) => latency.connected?.p99 },
  backP95: { says: 'bound again, p95', unit: 'ms', of: (result) => result.figures?.backP95Ms },
  syncedP50: { says: 'back and synced, p50', unit: 'ms', of: (result) => result.figures?.syncedP50Ms },
  syncedP95: { says: 'back and synced, p95', unit: 'ms', of: (result) => result.figures?.syncedP95Ms },
  syncedP99: { says: 'back and synced, p99', unit: 'ms', of: (result) => result.figures?.syncedP99Ms },
  everythingShown: {
    says: 'everything sent until all are back is shown after',
    unit: 's',
    of: (result) => result.figures?.secondsUntilEverythingShown,
  },
} as const satisfies Record<string, Figure>

export type FigureName = keyof typeof figures

/** Of a message that is counted once, however many it is delivered to. */
export function perMessage({ counts }: Pick<RunResult, 'counts'>, cpuSeconds: number): number | undefined {
  return counts.acknowledged > 0 ? (1_000_000 * cpuSeconds) / counts.acknowledged : undefined
}

export function perDelivery({ counts }: Pick<RunResult, 'counts'>, cpuSeconds: number): number | undefined {
  return counts.delivered > 0 ? (1_000_000 * cpuSeconds) / counts.delivered : undefined
}

/** `gateway` of `gateway-2`: instances are one. */
export function serviceOf({ name }: Pick<ProcessUse, 'name'>): string {
  return name.replace(/-\d+$/, '')
}

/** CPU seconds. */
export function allOf(processes: readonly ProcessUse[], service?: string): number {
  const those = service === undefined ? processes : processes.filter((use) => serviceOf(use) === service)
  return those.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
}
