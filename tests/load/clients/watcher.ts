import { FOREIGN, type History } from '../history.ts'
import { LatencyRecorder } from '../measure/latency.ts'
import type { Counts } from '../result.ts'

/** What a run counts and times while it goes on. */
export class Watcher {
  /** Since the run began. */
  readonly counts: Counts = { attempted: 0, acknowledged: 0, refused: 0, unknown: 0, delivered: 0, retried: 0 }
  /** Connections that are bound. */
  online = 0
  /** By what was timed; messages only those that were meant to be sent in the measured part. */
  readonly latencies: Record<string, LatencyRecorder> = {}
  /** Codes of final refusals. */
  readonly refusals = new Map<number, number>()
  readonly #history: History
  #from = Number.POSITIVE_INFINITY
  #until = Number.POSITIVE_INFINITY

  constructor(history: History) {
    this.#history = history
  }

  /** The measured part begins. */
  begin(): void {
    this.#from = performance.now()
  }

  end(): void {
    this.#until = performance.now()
  }

  record(name: string, since: number, now = performance.now()): void {
    this.latencies[name] ??= new LatencyRecorder()
    this.latencies[name].record(since, now)
  }

  attempted(): void {
    this.counts.attempted += 1
  }

  acknowledged(attempt: number, now?: number): void {
    this.counts.acknowledged += 1
    const intendedAt = this.#history.attempts.intendedAt.at(attempt)
    if (this.#measured(intendedAt)) this.record('acknowledged', intendedAt, now)
  }

  /** What was stored before the connection was there is timed from then: so long its user has waited for it. */
  delivered(attempt: number, boundAt: number, now?: number): void {
    this.counts.delivered += 1
    if (attempt >= FOREIGN) return
    const { intendedAt, acknowledgedAt } = this.#history.attempts
    if (!this.#measured(intendedAt.at(attempt))) return
    const stored = acknowledgedAt.at(attempt)
    if (stored > 0 && stored < boundAt) this.record('replayed', boundAt, now)
    else this.record('delivered', intendedAt.at(attempt), now)
  }

  refused(code: number): void {
    this.counts.refused += 1
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1)
  }

  /** A refusal after which the client sends again; also counted when it is final. */
  refusedForNow(): void {
    this.counts.retried += 1
  }

  gaveUp(): void {
    this.counts.unknown += 1
  }

  connected(since: number, now: number): void {
    this.online += 1
    this.record('connected', since, now)
  }

  disconnected(): void {
    this.online -= 1
  }

  #measured(intendedAt: number): boolean {
    return intendedAt >= this.#from && intendedAt < this.#until
  }
}
