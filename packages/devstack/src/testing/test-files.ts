import { globSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

export interface TestFiles {
  /** Share the machine with others; begun in this order. */
  together: string[]
  /** Nothing else runs meanwhile. */
  alone: string[]
}

const TIERS = [
  'packages/*/test/**/*.test.ts',
  'services/*/test/**/*.test.ts',
  'examples/*/test/**/*.test.ts',
  'tests/**/*.test.ts',
]
/** They use all of the machine, or hold the system to times and sizes that another test's load would change. */
export const ALONE: readonly string[] = [
  'tests/failure/back-pressure.test.ts',
  'tests/failure/membership.test.ts',
  'tests/failure/rolling-restart.test.ts',
  'tests/failure/table.test.ts',
]

/**
 * The test files of all tiers, or those below the given paths. Those that need servers go first: they take long, and one of them
 * would be the last for a while, with nothing left to run beside it.
 */
export function testFiles(root: string, paths: readonly string[] = []): TestFiles {
  const all = TIERS.flatMap((tier) =>
    globSync(tier, { cwd: root, exclude: (name) => name.includes('node_modules') }).sort(),
  )
  const within = (file: string) =>
    paths.length === 0 || paths.some((path) => !relative(resolve(root, path), join(root, file)).startsWith('..'))
  const chosen = all.filter(within)
  const isAlone = (file: string) => ALONE.includes(file)
  const needsServers = (file: string) => file.startsWith('tests/') || file.includes('/integration/')
  const together = chosen.filter((file) => !isAlone(file))
  return {
    together: [...together.filter(needsServers), ...together.filter((file) => !needsServers(file))],
    alone: chosen.filter(isAlone),
  }
}
