import t from 'tap'
import { presenceContract } from '../contract/presence-contract.ts'
import { redisPresence } from './redis-presence.ts'

const url = process.env.QUNXIN_TEST_REDIS_URL ?? 'redis://127.0.0.1:6379'

presenceContract(t, (t) => redisPresence(t, url))
