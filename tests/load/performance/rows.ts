import type { Settings } from '../scenarios/scenario.ts'
import type { FigureName } from './figures.ts'

/** A bound on the median of a figure. */
export interface Target {
  figure: FigureName
  limit: '≥' | '≤'
  value: number
}

/** One row of the performance table: how it is measured, and what it is to reach. */
export interface PerformanceRow {
  /** For the command line, and of its files. */
  name: string
  says: string
  scenario: string
  settings: Settings
  gateways: number
  messageServices: number
  groupServices: number
  targets: readonly Target[]
  /** What is told beside those, without a target. */
  also?: readonly FigureName[]
  /** What others reach on the same machine. */
  comparison?: string
  /** In which plot it is drawn. */
  plot?: 'latency' | 'throughput'
  /** It is compared with the first row of the same kind. */
  growth?: Growth
}

export interface Growth {
  kind: 'users' | 'online' | 'processes'
  /** That does not grow with the kind. */
  figure: FigureName
}

/** The most by which a figure that is not to grow may be above that of the first row: a fifth. */
export const FLAT_WITHIN = 1.2

const atLeast = (figure: FigureName, value: number): Target => ({ figure, limit: '≥', value })
const atMost = (figure: FigureName, value: number): Target => ({ figure, limit: '≤', value })

const processes = (count: number) => ({ gateways: count, messageServices: count, groupServices: 1 })
const measured = { warmUp: 5, seconds: 15 }
/** At a few messages a second it takes longer until what they go through is compiled. */
const fewMeasured = { warmUp: 30, seconds: 20 }
const pairs = { scenario: 'pairs', ...processes(1) }
const group = { scenario: 'group', ...processes(1) }

const ofTheIssue: readonly PerformanceRow[] = [
  {
    name: 'pairs-4',
    says: 'pairs, closed loop, 100 pairs × 4 in flight',
    ...pairs,
    settings: { ...measured, pairs: 100, inFlight: 4 },
    targets: [atLeast('acknowledged', 14_000), atLeast('delivered', 14_000)],
    also: ['cpuPerMessage'],
    comparison: 'prototype 19,400; WuKongIM 11,100–14,400; Socket.IO + MongoDB 3,500; Tinode 1,600',
    plot: 'throughput',
  },
  {
    name: 'pairs-16',
    says: 'pairs, closed loop, 100 pairs × 16 in flight',
    ...pairs,
    settings: { ...measured, pairs: 100, inFlight: 16 },
    targets: [atLeast('acknowledged', 20_000), atLeast('delivered', 20_000), atMost('cpuPerMessage', 65)],
    comparison: 'prototype 24,100, 53 µs; WuKongIM 14,900–20,600, 69–97 µs; bare `ws` 11 µs',
    plot: 'throughput',
  },
  {
    name: 'pairs-2000',
    says: 'pairs, open loop, 2,000 a second',
    ...pairs,
    settings: { ...measured, pairs: 100, rate: 2_000 },
    targets: [atMost('deliverP50', 4), atMost('deliverP99', 15)],
    also: ['cpuPerMessage'],
    comparison: 'prototype 4.0 · 19 ms; WuKongIM 1.5 · 6 at best, 2 · 226 at worst; Socket.IO 7 · 140',
    plot: 'latency',
  },
  {
    name: 'pairs-500',
    says: 'pairs, open loop, 500 a second',
    ...pairs,
    settings: { ...measured, pairs: 100, rate: 500 },
    targets: [atMost('deliverP50', 3), atMost('deliverP99', 6), atMost('cpuPerMessage', 1_000)],
    comparison: 'prototype 2.6 · 6.4 ms, 1,500 µs; WuKongIM 1.2 · 7.5, 425; Socket.IO 2.5 · 6.2, 1,450',
    plot: 'latency',
  },
  {
    name: 'group-200',
    says: 'a group of 200 online, 20 messages a second',
    ...group,
    settings: { ...fewMeasured, members: 200, online: 200, rate: 20 },
    targets: [atMost('deliverP99', 8), atMost('cpuPerDelivery', 16)],
    also: ['deliverP50'],
    comparison: 'Centrifugo (no database) 6.1 ms, 16 µs; WuKongIM 10.1, 38; bare `ws` 6.6, 8',
    plot: 'latency',
  },
  {
    name: 'group-2000',
    says: '2,000 online of 10,000 members, 5 messages a second',
    ...group,
    settings: { ...fewMeasured, members: 10_000, online: 2_000, rate: 5 },
    targets: [atMost('deliverP99', 100)],
    also: ['deliverP50', 'cpuPerDelivery'],
    plot: 'latency',
  },
  {
    name: 'idle',
    says: 'idle, 10,000 connections, a message a second in all',
    scenario: 'idle',
    ...processes(1),
    // Longer than the gateways' pings are apart.
    settings: { connections: 10_000, rate: 1, warmUp: 1, seconds: 60 },
    targets: [atMost('kibPerConnection', 12), atMost('gatewayCpu', 1)],
    also: ['serversCpu'],
    comparison: 'bare `ws` 8.4 KiB; Socket.IO 24.7; Centrifugo 45',
  },
  {
    name: 'connect',
    says: 'connecting and binding with a token, 4,000 users after as many others',
    scenario: 'connect',
    ...processes(1),
    settings: { clients: 4_000, before: 4_000, warmUp: 1 },
    targets: [atLeast('boundPerSecond', 4_000)],
    also: ['boundP99'],
    comparison: 'Centrifugo 4,657; Socket.IO 3,770',
  },
  {
    name: 'storm',
    says: 'storm, 5,000 clients dropped at once under 500 messages a second',
    scenario: 'storm',
    ...processes(1),
    settings: { clients: 5_000, rate: 500 },
    targets: [atMost('syncedP95', 6_000)],
    also: ['backP95', 'syncedP50', 'syncedP99', 'everythingShown'],
    comparison: 'Socket.IO 5,992 ms and 3.8 % never back (published)',
  },
  {
    name: 'jitter',
    says: 'jitter, 1,000 clients, each cut every 15 s for 2 s',
    scenario: 'jitter',
    ...processes(1),
    settings: { clients: 1_000, rate: 500 },
    targets: [atLeast('everDelivered', 100), atMost('replayP99', 5_000)],
    comparison: 'default Socket.IO 84.55 % (published)',
  },
]

const users = [100, 1_000, 10_000].map((count) => ({
  name: `users-${count}`,
  says: `${count.toLocaleString('en')} users in pairs, 1,000 messages a second in all`,
  ...pairs,
  settings: { ...measured, pairs: count / 2, rate: 1_000 },
  targets: [],
  growth: { kind: 'users', figure: 'cpuPerMessage' },
})) satisfies readonly PerformanceRow[]

/** About 4,000 deliveries a second each. */
const online = [
  { count: 20, rate: 210 },
  { count: 200, rate: 20 },
  { count: 2_000, rate: 2 },
].map(({ count, rate }) => ({
  name: `online-${count}`,
  says: `a group of ${count.toLocaleString('en')} online, ${rate} messages a second`,
  ...group,
  settings: { ...fewMeasured, members: count, online: count, rate },
  targets: [],
  growth: { kind: 'online', figure: 'cpuPerDelivery' },
})) satisfies readonly PerformanceRow[]

const scaled = [1, 2, 4].map((count) => ({
  name: `processes-${count}`,
  says: `${count} × gateway and message-service, 1,000 messages a second in pairs`,
  scenario: 'pairs',
  ...processes(count),
  settings: { ...measured, pairs: 100, rate: 1_000 },
  targets: [],
  growth: { kind: 'processes', figure: 'cpuPerMessage' },
})) satisfies readonly PerformanceRow[]

export const performanceRows: readonly PerformanceRow[] = [...ofTheIssue, ...users, ...online, ...scaled]

/** @throws TypeError naming those there are */
export function performanceRow(name: string): PerformanceRow {
  const found = performanceRows.find((row) => row.name === name)
  if (found !== undefined) return found
  const names = performanceRows.map((row) => row.name).join(', ')
  throw new TypeError(`The performance table has the rows ${names}, not ${JSON.stringify(name)}`)
}
