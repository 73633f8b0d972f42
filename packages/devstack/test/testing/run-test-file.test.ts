import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { runTestFile } from '../../src/testing/run-test-file.ts'
import { lives } from '../lives.ts'

const FIXTURES = join(import.meta.dirname, '..', 'fixtures')
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TAP')))
const run = (file: string, limitMs?: number) =>
  runTestFile(file, { cwd: FIXTURES, env, ...(limitMs ? { limitMs } : {}) })

t.test('assertions are counted wherever they stand, and other output is ignored', async (t) => {
  t.match(await run('passing.ts'), { passed: 2, failed: 0, skipped: 0, failures: [] })
})

t.test('a failed assertion is counted and named', async (t) => {
  const result = await run('failing.ts')
  t.match(result, { passed: 1, failed: 1, skipped: 0 })
  t.match(result.failures[0], /failing\.ts: .*one of two holds.*one is two/)
})

t.test('a skipped test is counted and named', async (t) => {
  const result = await run('skipping.ts')
  t.match(result, { passed: 1, failed: 0, skipped: 1 })
  t.match(result.skips[0], /is left out/)
})

t.test('a file that crashes, throws, tests nothing or hangs is a failure', async (t) => {
  t.match(await run('crashing.ts'), { failed: 1, failures: [/crashing\.ts: ended by SIGKILL/] })
  t.match(await run('throwing.ts'), {
    passed: 0,
    failed: 1,
    failures: [/throwing\.ts: tested nothing \(exit code 1\)/],
  })
  t.match(await run('empty.ts'), { passed: 0, failed: 1, failures: [/empty\.ts: tested nothing/] })
  const hung = await run('hanging.ts', 1000)
  t.ok(hung.failures.some((line) => line.includes('hanging.ts: not done after 1 s')))
})

t.test('what a file leaves running ends with it, and does not hold up the run', async (t) => {
  const result = await run('leaving.ts')
  t.match(result, { passed: 1, failed: 0 })
  const pid = Number(/left (\d+)/.exec(result.output)?.[1])
  while (lives(pid)) await sleep(10)
})
