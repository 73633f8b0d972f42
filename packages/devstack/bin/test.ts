import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { type Devstack, startDevstack } from '../src/devstack.ts'
import { SetupError } from '../src/progress.ts'
import { CACHE, REPOSITORY } from '../src/repository.ts'
import { locateRedis } from '../src/servers/redis.ts'
import { locateChromium, needBrowser } from '../src/testing/chromium.ts'
import { runAll } from '../src/testing/run-all.ts'
import { staticChecks } from '../src/testing/static-checks.ts'
import { lastLine, sum, type Tally } from '../src/testing/tally.ts'
import { testFiles } from '../src/testing/test-files.ts'

const JOBS = 2
/** Seconds; tap's own 30 are too few for whole systems on a busy machine. */
const TEST_LIMIT_S = 120

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
  // Tests that flush or kill a Redis start one of their own.
  const redis = await locateRedis(CACHE, progress)
  const browser = needBrowser(REPOSITORY, files.together) ? await locateChromium(CACHE, progress) : undefined
  const env = {
    ...process.env,
    ...(browser === undefined ? {} : { CHROMIUM: browser }),
    PATH: [dirname(redis.path), process.env.PATH].join(delimiter),
    TAP_TIMEOUT: `${TEST_LIMIT_S}`,
    QUNXIN_TEST_NATS_URL: devstack.natsUrl('operator'),
    QUNXIN_TEST_MONGO_URL: devstack.mongoUrl,
    QUNXIN_TEST_REDIS_URL: devstack.redisUrl,
  }
  const tested = await runAll(files, { cwd: REPOSITORY, env, jobs: JOBS, progress: say, signal: interrupted.signal })
  return sum([...checked, tested])
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
  console.error(`\n${error instanceof SetupError ? error.message : 'Interrupted.'}`)
  process.exitCode = 1
} finally {
  await clear()
  process.channel?.unref()
}
