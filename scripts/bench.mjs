import { handOver } from './hand-over.mjs'

const HELP = `Usage: npm run bench

Measures a system made for it, on this machine: messages a second, CPU of every server process per delivered message,
and memory per idle connection.

Settings, from the environment:
  PAIRS             users that send to one other user each (100)
  IN_FLIGHT         unacknowledged messages of each (4)
  SECONDS           how long is measured (15)
  CONNECTIONS       idle connections (5000)
  GATEWAYS          how many gateway processes (1)
  MESSAGE_SERVICES  how many message-service processes (1)
  RUN_JSON          measures the running system of that run.json instead, started with RATE_LIMITS=off
  AUTH_SECRET       beside RUN_JSON: what that system's tokens are signed with`

if (process.argv.some((argument) => argument === '-h' || argument === '--help')) console.log(HELP)
else await handOver({ script: 'tests/load/bench.ts', progress: (line) => console.log(`· ${line}`) })
