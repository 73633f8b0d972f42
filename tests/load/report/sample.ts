import { noViolations } from '../check/findings.ts'
import type { Moment, RunResult } from '../result.ts'

const SECONDS = 120
const PROCESSES: [name: string, cpu: number, mib: number][] = [
  ['gateway-1', 0.42, 92],
  ['gateway-2', 0.4, 90],
  ['message-service-1', 0.3, 110],
  ['message-service-2', 0.28, 105],
  ['group-service-1', 0.02, 80],
  ['nats', 0.12, 31],
  ['mongod', 0.55, 320],
  ['redis', 0.04, 12],
]
/** When message-service-1 is killed, and each time for two seconds. */
const KILLS = [20, 45, 70, 95]

/** A made-up run of the pairs with four kills, without any chance in it: for the tests of the report, and to look at it. */
export function sampleResult(changes: Partial<RunResult> = {}): RunResult {
  const timeline = Array.from({ length: SECONDS }, (_, i) => momentAt(i + 1))
  const total = (of: (moment: Moment) => number) => timeline.reduce((all, moment) => all + of(moment), 0)
  const delivered = total((moment) => moment.delivered)
  const acknowledged = total((moment) => moment.acknowledged)
  const refused = total((moment) => moment.refused)
  return {
    scenario: 'pairs',
    settings: { pairs: 100, loop: 'open', 'rate a second': 2_000, gateways: 2, messageServices: 2, fault: 'kill' },
    seed: 20_261_122,
    hardware: '2 × Some Processor @ 2.40GHz, 8 GiB, Linux, Node 24.12.0; load generator on the same machine',
    loadAverage: 0.31,
    startedAt: '2026-11-22T15:00:00.123Z',
    seconds: SECONDS,
    counts: { attempted: acknowledged + refused, acknowledged, refused, unknown: 0, delivered, retried: 96 },
    latency: {
      acknowledged: latency(3.9, acknowledged),
      delivered: latency(4.6, delivered),
      replayed: { count: 12, p50: 120, p90: 310, p99: 420, p999: 420, most: 420 },
    },
    processes: PROCESSES.map(([name, cpu, mib]) => ({
      name,
      cpuSeconds: cpu * SECONDS,
      cpuMicrosPerDelivered: (cpu * SECONDS * 1_000_000) / delivered,
      residentMib: { first: mib, last: mib + 8, most: mib + 14 },
    })),
    generator: { cpuSeconds: 0.5 * SECONDS, cpuMicrosPerDelivered: (0.5 * SECONDS * 1_000_000) / delivered },
    coresElsewhere: 0.04,
    timeline,
    faults: KILLS.map((at, i) => ({ at: at - 0.4, what: `kill -9 message-service-1 (pid ${4_711 + i})` })),
    verdict: {
      clean: true,
      checked: { acknowledged, stored: acknowledged, shown: delivered },
      violations: noViolations(),
      examples: [],
    },
    ...changes,
  }
}

function momentAt(at: number): Moment {
  const away = KILLS.some((kill) => at >= kill && at < kill + 2)
  const after = KILLS.some((kill) => at === kill + 2)
  const usual = 1_960 + 60 * Math.sin(at / 3) + 25 * Math.sin(at * 1.7)
  const acknowledged = Math.round(away ? usual * 0.45 : after ? usual * 1.9 : usual)
  const present = PROCESSES.filter(([name]) => !(away && name === 'message-service-1'))
  const wave = (of: number) => 1 + 0.08 * Math.sin(at / 4 + of)
  return {
    at,
    acknowledged,
    delivered: acknowledged + Math.round(6 * Math.sin(at)),
    refused: after ? 12 : 0,
    cpu: Object.fromEntries(present.map(([name, cpu]) => [name, cpu * wave(cpu) * (away ? 0.6 : 1)])),
    residentMib: Object.fromEntries(present.map(([name, , mib]) => [name, mib + 8 * (at / SECONDS) + 3 * wave(mib)])),
  }
}

function latency(p50: number, count: number): RunResult['latency'][string] {
  const curve: [number, number][] = [
    [0, p50 / 4],
    [25, p50 * 0.8],
    [50, p50],
    [75, p50 * 1.4],
    [90, p50 * 2.5],
    [95, p50 * 4],
    [99, p50 * 160],
    [99.9, p50 * 420],
    [99.99, p50 * 560],
  ]
  return { count, p50, p90: p50 * 2.5, p99: p50 * 160, p999: p50 * 420, most: p50 * 570, curve }
}
