/** What one run of the load tool found: written as JSON, drawn as a page. */
export interface RunResult {
  scenario: string
  /** What to type to run it again. */
  command?: string
  /** Of the sources, with a `+` when files were changed since. */
  commit?: string
  settings: Record<string, string | number | boolean>
  /** Of everything random in the run; given again it draws the same faults. */
  seed: number
  hardware: string
  /** Of the machine, one minute, before the run: what else was going on. */
  loadAverage: number
  /** ISO 8601. */
  startedAt: string
  /** Of the measured part. */
  seconds: number
  counts: Counts
  /** By what was measured: acknowledged, delivered, connected, replayed. */
  latency: Record<string, Percentiles>
  processes: ProcessUse[]
  /** The process that makes the load, which is none of the servers. */
  generator: GeneratorUse
  /** Cores that everything else on the machine kept busy meanwhile. */
  coresElsewhere: number
  /** One entry a second of the measured part. */
  timeline: Moment[]
  faults: FaultEvent[]
  verdict: Verdict
  /** What had to hold beside the verdict: a run fails on any that did not. */
  bounds?: Bound[]
  /** What only this scenario has: memory per idle connection, seconds until everybody was back. */
  figures?: Record<string, number>
}

export interface Bound {
  /** `the others took over`, `exit code of gateway-1` */
  what: string
  /** `≤ 5 s`, `0` */
  limit: string
  /** `2.1 s` */
  found: string
  held: boolean
}

export interface Counts {
  attempted: number
  acknowledged: number
  refused: number
  /** Without any outcome when the run ended. */
  unknown: number
  /** Messages shown to clients. */
  delivered: number
  /** Answers after which a client had to send again by itself. */
  retried: number
}

/** Milliseconds. */
export interface Percentiles {
  count: number
  p50: number
  p90: number
  p99: number
  p999: number
  most: number
  /** Percentile and milliseconds, ascending, as far as there were values enough to tell: for the plot. */
  curve?: [percentile: number, milliseconds: number][]
}

/** A server process over the measured part; its restarts are added up under one name. */
export interface ProcessUse {
  name: string
  cpuSeconds: number
  /** CPU of this process for each message delivered; undefined when none was. */
  cpuMicrosPerDelivered?: number
  residentMib: { first: number; last: number; most: number }
}

/** The load generator over the measured part. */
export type GeneratorUse = Pick<ProcessUse, 'cpuSeconds' | 'cpuMicrosPerDelivered'>

export interface Moment {
  /** Seconds since the measured part began. */
  at: number
  acknowledged: number
  delivered: number
  refused: number
  /** By process: share of one core, and MiB. */
  cpu: Record<string, number>
  residentMib: Record<string, number>
}

export interface FaultEvent {
  /** Seconds since the measured part began. */
  at: number
  /** `kill -9 message-service-1 (pid 4711)` */
  what: string
  /** It ends what an earlier one began: a process takes work again, a link is mended. */
  over?: boolean
  /** The process or the link it was done to. */
  target?: string
  /** Of a process that was asked to end; `readyMs` until its successor took work. */
  ended?: { code: number | null; signal: string | null; drainMs: number; readyMs?: number }
}

/** What the checker says. A run fails on any violation. */
export interface Verdict {
  clean: boolean
  /** Messages looked at: acknowledged, stored, shown. */
  checked: { acknowledged: number; stored: number; shown: number }
  violations: Violations
  /** The first few of each kind, for a person to start from. */
  examples: string[]
}

/** How many of each kind. */
export interface Violations {
  /** Acknowledged, but in nobody's history. */
  lost: number
  /** In the history, but never sent. */
  unexpected: number
  /** Stored or shown on one connection twice. */
  doubled: number
  /** A conversation's seq has a gap, or two readers see another order. */
  inversions: number
  /** A sender's messages stand in another order than it sent them. */
  senderInversions: number
  /** Text, sender or seq differ from what was sent and acknowledged. */
  content: number
  /** Acknowledged, and never shown to a receiver that was there, or came back. */
  undelivered: number
  /** Shown to somebody it was not for. */
  leaked: number
  /** A cursor, or a count of those who have had or read a message, was seen to move back. */
  cursorsBack: number
  /** A cursor was shown further than its user had been shown or had read. */
  cursorsAhead: number
  /** At the end cursors, unread or receipts are not what everybody had been shown and read. */
  finalCounts: number
}
