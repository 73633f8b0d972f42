import { handOver } from './hand-over.mjs'

const HELP = `Usage: npm start

Brings up the whole system: NATS, MongoDB, Redis, then group-service, message-service and the gateways.
Ctrl-C stops everything in order; data stays in DATA_DIR.

Settings, from the environment:
  PORT              port of the first gateway, further ones follow (8080)
  GATEWAYS          how many gateway processes (1)
  GROUP_SERVICES    how many group-service processes (1)
  MESSAGE_SERVICES  how many message-service processes (1)
  AUTH_SECRET       secret the tokens are signed with (made once, kept in DATA_DIR)
  DATA_DIR          where data, logs and run.json are kept (.data)
  RATE_LIMITS       on, or off for load tools (on)
  NATS_URL, MONGO_URL, REDIS_URL
                    servers that run already; those not named come from Docker, PATH or a download into .cache
  DEVSTACK_DOCKER   off leaves Docker alone

DATA_DIR/run.json lists every process while the system is up. npm test runs all tests.`

if (process.argv.some((argument) => argument === '-h' || argument === '--help')) console.log(HELP)
else await handOver({ script: 'packages/devstack/bin/start.ts', progress: (line) => console.log(`· ${line}`) })
