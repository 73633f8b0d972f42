import { join } from 'node:path'
import t from 'tap'
import { REPOSITORY } from '../../src/repository.ts'
import { lastLine, sum } from '../../src/testing/tally.ts'
import { ALONE, testFiles } from '../../src/testing/test-files.ts'

t.test('test files of all tiers are found: long ones first, and those that need the machine alone apart', async (t) => {
  const root = t.testdir({
    packages: { one: { test: { 'a.test.ts': '', 'help.ts': '', integration: { 'b.test.ts': '' } } } },
    services: { two: { test: { 'c.test.ts': '' }, src: { 'd.test.ts': '' } } },
    tests: {
      e2e: { 'e.test.ts': '' },
      failure: { 'table.test.ts': '', 'f.test.ts': '' },
      node_modules: { x: { 'g.test.ts': '' } },
    },
  })
  t.same(testFiles(root), {
    together: [
      'packages/one/test/integration/b.test.ts',
      'tests/e2e/e.test.ts',
      'tests/failure/f.test.ts',
      'packages/one/test/a.test.ts',
      'services/two/test/c.test.ts',
    ],
    alone: ['tests/failure/table.test.ts'],
  })
  t.same(testFiles(root, ['tests/failure', 'services/two/test/c.test.ts']), {
    together: ['tests/failure/f.test.ts', 'services/two/test/c.test.ts'],
    alone: ['tests/failure/table.test.ts'],
  })
})

t.test('what is to run alone is there', async (t) => {
  t.equal(testFiles(REPOSITORY).alone.length, ALONE.length)
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
