import { join } from 'node:path'
import { run } from '../fetch/run.ts'
import type { Progress } from '../progress.ts'
import { emptyTally, sum, type Tally } from './tally.ts'

/** Type check and lint of the whole repository; each counts as one. */
export async function staticChecks(root: string, progress: Progress): Promise<Tally> {
  const bin = (name: string) => join(root, 'node_modules', '.bin', name)
  const checks = [
    { name: 'type check', command: bin('tsc'), args: ['--noEmit', '--pretty', 'false'] },
    { name: 'lint and format', command: bin('biome'), args: ['check', '--colors=off', '--error-on-warnings', '.'] },
  ]
  const tallies = checks.map(async ({ name, command, args }) => {
    const started = performance.now()
    const { ok, output } = await run(command, args, { cwd: root })
    progress(`${ok ? '✓' : '✗'} ${name}  (${((performance.now() - started) / 1000).toFixed(1)} s)`)
    if (ok) return { ...emptyTally(), passed: 1 }
    progress(output.trimEnd().replace(/^/gm, '    '))
    return { ...emptyTally(), failed: 1, failures: [name] }
  })
  return sum(await Promise.all(tallies))
}
