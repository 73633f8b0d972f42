import type { Progress } from '../progress.ts'
import { runTestFile, type TestFileOptions, type TestFileResult } from './run-test-file.ts'
import { sum, type Tally } from './tally.ts'
import type { TestFiles } from './test-files.ts'

/** Runs files, so many at a time, then those that need the machine for themselves, and says a line about each. */
export async function runAll(
  files: TestFiles,
  options: TestFileOptions & { jobs: number; progress: Progress },
): Promise<Tally> {
  const results: TestFileResult[] = []
  const work = async (queue: string[]) => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      options.signal?.throwIfAborted()
      const result = await runTestFile(file, options)
      results.push(result)
      report(result, options.progress)
    }
  }
  const queue = [...files.together]
  await Promise.all(Array.from({ length: options.jobs }, () => work(queue)))
  await work([...files.alone])
  return sum(results)
}

function report(result: TestFileResult, progress: Progress): void {
  const { file, passed, failed, skipped, tookMs, output } = result
  const counts = [`${passed} passed`, failed > 0 && `${failed} failed`, skipped > 0 && `${skipped} skipped`].filter(
    Boolean,
  )
  progress(`${failed > 0 ? '✗' : '✓'} ${file}  ${counts.join(', ')}  (${(tookMs / 1000).toFixed(1)} s)`)
  if (failed > 0) progress(output.trimEnd().replace(/^/gm, '    '))
}
