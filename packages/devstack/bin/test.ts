import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Devstack, startDevstack } from '../src/devstack.ts'
import { SetupError } from '../src/progress.ts'
import { REPOSITORY } from '../src/repository.ts'
import { testEnvironment, withBrowser } from '../src/testing/environment.ts'
import { runAll } from '../src/testing/run-all.ts'
import { staticChecks } from '../src/testing/static-checks.ts'
import { emptyTally, lastLine, sum, type Tally } from '../src/testing/tally.ts'
import { testFiles } from '../src/testing/test-files.ts'

/** One more than the cores of a small machine: tests of the system wait half of their time. */
const JOBS = 3

const say = (line: string) => console.log(line)
const paths = process.argv.slice(2)
const files = testFiles(REPOSITORY, paths)
const dataDir = await mkdtemp(join(tmpdir(), 'qunxin-test-'))
const interrupted = new AbortController()
let devstack: Devstack | undefined

async function clear() {
  await devstack?.stop()
  await rm(dataDir, { recursive: true, force: true })
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const) {
  process.once(signal as NodeJS.Signals, () => {
    interrupted.abort()
    void clear().finally(() => process.exit(130))
  })
}

async function everything(): Promise<Tally> {
  const checked = paths.length === 0 ? [await staticChecks(REPOSITORY, say)] : []
  const progress = (line: string) => say(`· ${line}`)
  devstack = await startDevstack({ dataDir, durable: false, progress, signal: interrupted.signal })
  const browser = await withBrowser(files, progress)
  const env = { ...(await testEnvironment(devstack, progress)), ...browser.variables }
  const options = { cwd: REPOSITORY, env, jobs: JOBS, progress: say, signal: interrupted.signal }
  return sum([...checked, browser.skipped, await runAll(browser.files, options)])
}

function finish(tally: Tally): number {
  const skipsFail = Boolean(process.env.CI) && process.env.CI !== 'false' && tally.skipped > 0
  if (tally.failures.length > 0) say(`\nFailed:\n${tally.failures.map((line) => `  ${line}`).join('\n')}`)
  if (tally.skips.length > 0)
    say(
      `\nSkipped${skipsFail ? ', which CI does not allow' : ''}:\n${tally.skips.map((line) => `  ${line}`).join('\n')}`,
    )
  say(`\n${lastLine(tally)}`)
  return tally.failed > 0 || tally.passed === 0 || skipsFail ? 1 : 0
}

try {
  process.exitCode = finish(await everything())
} catch (error) {
  if (!(error instanceof SetupError || interrupted.signal.aborted)) throw error
  const why = error instanceof SetupError ? error.message : 'Interrupted.'
  process.exitCode = finish({ ...emptyTally(), failed: 1, failures: [why] })
} finally {
  await clear()
  process.channel?.unref()
}
