import t from 'tap'
import { z } from 'zod'
import { ConfigError, commonConfig, flag, loadConfig } from '../src/index.ts'

const schema = z.object({
  ...commonConfig,
  OPS_PORT: commonConfig.OPS_PORT.default(9000),
  MONGO_URL: z.url(),
  DEBUG: flag.default(false),
})

t.test('settings come with their defaults, and an empty variable counts as absent', async (t) => {
  const config = loadConfig(schema, { MONGO_URL: 'mongodb://h/', NATS_URL: '', DEBUG: 'off' })
  t.match(config, { NATS_URL: 'nats://127.0.0.1:4222', OPS_PORT: 9000, PARTITIONS: 64, DEBUG: false })
})

t.test('every fault is named at once', async (t) => {
  t.throws(() => loadConfig(schema, { OPS_PORT: 'high', PARTITIONS: '0', SUBJECT_PREFIX: 'a.b' }), ConfigError)
  try {
    loadConfig(schema, { OPS_PORT: 'high', PARTITIONS: '0', SUBJECT_PREFIX: 'a.b' })
  } catch (error) {
    for (const name of ['OPS_PORT', 'PARTITIONS', 'SUBJECT_PREFIX', 'MONGO_URL'])
      t.match((error as Error).message, name)
  }
})
