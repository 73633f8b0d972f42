import { ConfigError } from '@qunxin/runtime'
import t from 'tap'
import { readConfig } from '../src/index.ts'

t.test('it starts without any setting', async (t) => {
  t.match(readConfig({}), {
    SUBJECT_PREFIX: 'im',
    OPS_PORT: 9081,
    MONGO_URL: 'mongodb://127.0.0.1:27017/?replicaSet=rs0',
    MONGO_DATABASE: 'qunxin',
    GROUP_MEMBERS_MAX: 10_000,
    OWNER_TIMEOUT_MS: 200,
    PARTITIONS: 64,
  })
})

t.test('all faults are named at once', async (t) => {
  try {
    readConfig({ GROUP_MEMBERS_MAX: '100000', OPS_PORT: 'x', OUTBOX_POLL_MS: '0' })
    t.fail('it was taken')
  } catch (error) {
    t.type(error, ConfigError)
    for (const name of ['GROUP_MEMBERS_MAX', 'OPS_PORT', 'OUTBOX_POLL_MS']) t.match(String(error), name)
  }
})
