import { handOver } from './hand-over.mjs'

const HELP = `Usage: npm test [-- path …]

Type check, lint, and the tests of all tiers, with NATS, MongoDB and Redis of their own on free ports.
With paths, only the test files below them, without type check and lint:  npm test -- services/gateway tests/e2e

With CI=true a skipped test counts as a failure.`

if (process.argv.some((argument) => argument === '-h' || argument === '--help')) console.log(HELP)
else
  await handOver({
    script: 'packages/devstack/bin/test.ts',
    progress: (line) => console.log(`· ${line}`),
    lastLineOnFailure: '0 passed, 1 failed, 0 skipped',
  })
