import type { Violations } from '../result.ts'

const EXAMPLES_OF_A_KIND = 5

/** Counts what the checks find, and keeps the first few of each kind in words. */
export class Findings {
  readonly violations = noViolations()
  readonly examples: string[] = []

  add(kind: keyof Violations, example: () => string): void {
    this.violations[kind] += 1
    if (this.violations[kind] <= EXAMPLES_OF_A_KIND) this.examples.push(`${kind}: ${example()}`)
  }

  get clean(): boolean {
    return Object.values(this.violations).every((count) => count === 0)
  }
}

export function noViolations(): Violations {
  return {
    lost: 0,
    unexpected: 0,
    doubled: 0,
    inversions: 0,
    senderInversions: 0,
    content: 0,
    undelivered: 0,
    leaked: 0,
    cursorsBack: 0,
    cursorsAhead: 0,
    finalCounts: 0,
  }
}
