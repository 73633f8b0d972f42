/** What came of some checks. A test's assertions count one each, and so do type check and lint. */
export interface Tally {
  passed: number
  failed: number
  skipped: number
  /** One line per failure, to be read without scrolling. */
  failures: string[]
  skips: string[]
}

export function emptyTally(): Tally {
  return { passed: 0, failed: 0, skipped: 0, failures: [], skips: [] }
}

export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (total, one) => ({
      passed: total.passed + one.passed,
      failed: total.failed + one.failed,
      skipped: total.skipped + one.skipped,
      failures: [...total.failures, ...one.failures],
      skips: [...total.skips, ...one.skips],
    }),
    emptyTally(),
  )
}

export function lastLine(tally: Tally): string {
  return `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`
}
