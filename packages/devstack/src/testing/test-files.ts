import { globSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

export interface TestFiles {
  /** Share the machine with others. */
  together: string[]
  /** Kill processes or measure: nothing else runs meanwhile. */
  alone: string[]
}

const TIERS = [
  'packages/*/test/**/*.test.ts',
  'services/*/test/**/*.test.ts',
  'examples/*/test/**/*.test.ts',
  'tests/**/*.test.ts',
]
const ALONE = ['tests/failure/', 'tests/load/']

/** The test files of all tiers, from plain to whole-system, or those below the given paths. */
export function testFiles(root: string, paths: readonly string[] = []): TestFiles {
  const all = TIERS.flatMap((tier) =>
    globSync(tier, { cwd: root, exclude: (name) => name.includes('node_modules') }).sort(),
  )
  const within = (file: string) =>
    paths.length === 0 || paths.some((path) => !relative(resolve(root, path), join(root, file)).startsWith('..'))
  const chosen = all.filter(within)
  const isAlone = (file: string) => ALONE.some((folder) => file.startsWith(folder))
  return { together: chosen.filter((file) => !isAlone(file)), alone: chosen.filter(isAlone) }
}
