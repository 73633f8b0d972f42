import { delimiter, dirname, join } from 'node:path'
import type { Devstack } from '../devstack.ts'
import { type Progress, SetupError } from '../progress.ts'
import { CACHE, REPOSITORY } from '../repository.ts'
import { locateRedis } from '../servers/redis.ts'
import { locateChromium, needsBrowser } from './chromium.ts'
import { emptyTally, type Tally } from './tally.ts'
import type { TestFiles } from './test-files.ts'

/** Seconds; tap's own 30 are too few for whole systems on a busy machine. */
const TEST_LIMIT_S = 120

/** The variables test files are run with. */
export async function testEnvironment(
  devstack: Devstack,
  progress: Progress,
): Promise<Record<string, string | undefined>> {
  // Tests that flush or kill a Redis start one of their own.
  const redis = await locateRedis(CACHE, progress)
  return {
    ...process.env,
    PATH: [dirname(redis.path), process.env.PATH].join(delimiter),
    TAP_TIMEOUT: `${TEST_LIMIT_S}`,
    // Hundreds of processes run the same sources: compiling them would be half of a start.
    NODE_COMPILE_CACHE: join(CACHE, 'compiled'),
    QUNXIN_TEST_NATS_URL: devstack.natsUrl('operator'),
    QUNXIN_TEST_MONGO_URL: devstack.mongoUrl,
    QUNXIN_TEST_REDIS_URL: devstack.redisUrl,
  }
}

/** A browser for the files that drive one; where none can be had those are left out, and count as skipped. */
export async function withBrowser(
  files: TestFiles,
  progress: Progress,
): Promise<{ files: TestFiles; variables: Record<string, string>; skipped: Tally }> {
  const driving = files.together.filter((file) => needsBrowser(REPOSITORY, file))
  if (driving.length === 0) return { files, variables: {}, skipped: emptyTally() }
  try {
    return { files, variables: { CHROMIUM: await locateChromium(CACHE, progress) }, skipped: emptyTally() }
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    progress(error.message)
    const rest = { ...files, together: files.together.filter((file) => !driving.includes(file)) }
    const skips = driving.map((file) => `${file}: no Chromium on this machine`)
    return { files: rest, variables: {}, skipped: { ...emptyTally(), skipped: skips.length, skips } }
  }
}
