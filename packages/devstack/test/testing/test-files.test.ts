import { join } from 'node:path'
import t from 'tap'
import { REPOSITORY } from '../../src/repository.ts'
import { lastLine, sum } from '../../src/testing/tally.ts'
import { testFiles } from '../../src/testing/test-files.ts'

t.test('test files of all tiers are found, and those that need the machine alone are apart', async (t) => {
  const root = t.testdir({
    packages: { one: { test: { 'a.test.ts': '', 'help.ts': '', integration: { 'b.test.ts': '' } } } },
    services: { two: { test: { 'c.test.ts': '' }, src: { 'd.test.ts': '' } } },
    tests: { e2e: { 'e.test.ts': '' }, failure: { 'f.test.ts': '' }, node_modules: { x: { 'g.test.ts': '' } } },
  })
  t.same(testFiles(root), {
    together: [
      'packages/one/test/a.test.ts',
      'packages/one/test/integration/b.test.ts',
      'services/two/test/c.test.ts',
      'tests/e2e/e.test.ts',
    ],
    alone: ['tests/failure/f.test.ts'],
  })
  t.same(testFiles(root, ['tests/failure', 'services/two/test/c.test.ts']), {
    together: ['services/two/test/c.test.ts'],
    alone: ['tests/failure/f.test.ts'],
  })
})

t.test('this very file is among those of the repository', async (t) => {
  const own = join('packages', 'devstack', 'test', 'testing', 'test-files.test.ts')
  t.ok(testFiles(REPOSITORY).together.includes(own))
})

t.test('the last line has the counts of everything', async (t) => {
  const one = { passed: 2, failed: 1, skipped: 0, failures: ['x'], skips: [] }
  t.equal(lastLine(sum([one, { ...one, failures: ['y'] }])), '4 passed, 2 failed, 0 skipped')
  t.same(sum([one, one]).failures, ['x', 'x'])
})
