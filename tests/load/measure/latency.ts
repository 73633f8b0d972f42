import { build } from 'hdr-histogram-js'
import type { Percentiles } from '../result.ts'

/** Recorded in microseconds; a value beyond it makes the histogram grow. */
const EXPECTED_MOST_US = 60_000_000

/** Where the curve has a point, as far as there are values enough. */
const CURVE = [0, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.975, 99.99, 99.995, 99.999]

/**
 * Counts latencies in an HDR histogram of three digits: a run of any length costs the same memory, and every
 * percentile is within 0.1 %.
 */
export class LatencyRecorder {
  #histogram = build({ highestTrackableValue: EXPECTED_MOST_US, numberOfSignificantValueDigits: 3, bitBucketSize: 32 })

  /**
   * Open loop: `since` is when the message was *meant* to be sent, so that a sender that was held up itself counts as
   * waiting. Milliseconds of one clock, as `performance.now()` gives them.
   */
  record(since: number, now: number): void {
    this.#histogram.recordValue(Math.max(0, Math.round((now - since) * 1_000)))
  }

  /** In milliseconds; 0 when nothing was recorded. */
  at(percentile: number): number {
    return this.#histogram.totalCount === 0 ? 0 : milliseconds(this.#histogram.getValueAtPercentile(percentile))
  }

  percentiles(): Percentiles {
    const count = this.#histogram.totalCount
    const at = (percentile: number) => this.at(percentile)
    const curve = CURVE.filter((percentile) => count * (1 - percentile / 100) >= 1)
    return {
      count,
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      most: count === 0 ? 0 : milliseconds(this.#histogram.maxValue),
      curve: curve.map((percentile) => [percentile, at(percentile)]),
    }
  }
}

/** To a hundredth: what the three digits of the histogram hold, and short in the report. */
function milliseconds(microseconds: number): number {
  return Math.round(microseconds / 10) / 100
}
