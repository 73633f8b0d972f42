import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { freePort } from '../../packages/devstack/src/ports.ts'
import { CACHE } from '../../packages/devstack/src/repository.ts'
import { locateRedis } from '../../packages/devstack/src/servers/redis.ts'
import { createKeys } from '../../packages/presence/src/redis/keys.ts'
import { scripts } from '../../packages/presence/src/redis/scripts.ts'
import { DEFAULT_LIMIT } from '../../services/gateway/src/limits/bucket.ts'
import { createRedisLedger } from '../../services/gateway/src/limits/ledger.ts'
import { REPOSITORY } from './compose-file.ts'

const passwords = { gateway: 'gatewaypassword', 'message-service': 'messagepassword' }
const keys = createKeys()

t.test('the Redis of docker-compose.yml', async (t) => {
  const url = await startRedis(t)
  const nobody = connect(t, url)
  const gateway = connect(t, url, 'gateway')
  const messages = connect(t, url, 'message-service')

  t.test('answers a health check, and nothing else, without a password', async (t) => {
    t.equal(await nobody.ping(), 'PONG')
    await t.rejects(nobody.get(keys.epoch), /NOPERM/)
    await t.rejects(nobody.info(), /NOPERM/)
  })

  t.test('lets a gateway keep presence', async (t) => {
    t.equal(await gateway.set(keys.epoch, 'e1', 'NX', 'GET'), null)
    t.equal(await gateway.set(keys.node('n1'), 'e1', 'PX', 10_000), 'OK')
    const entry = { key: keys.user('5'), conns: ['c1'] }
    t.strictSame(await scripts.write(gateway, [entry], { node: 'n1', ttlSeconds: 10, limit: 10 }), [])
    t.equal(await gateway.exists(keys.node('n1')), 1)
  })

  t.test("lets a gateway lease of a user's limit, by the clock of Redis", async (t) => {
    const asked = { wanted: 300, ahead: 0, owed: 0, back: 0 }
    t.equal((await createRedisLedger({ redis: gateway, limit: DEFAULT_LIMIT }).lease('5', asked)).granted, 200)
    await t.rejects(createRedisLedger({ redis: messages, limit: DEFAULT_LIMIT }).lease('5', asked), /NOPERM/)
  })

  t.test('lets message-service read presence and remove what is void, but write no node', async (t) => {
    t.strictSame(await messages.hvals(keys.user('5')), ['n1'])
    t.equal(await messages.get(keys.node('n1')), 'e1')
    await scripts.sweep(messages, keys.user('5'), 'n1')
    t.strictSame(await messages.hvals(keys.user('5')), [])
    await t.rejects(messages.hset(keys.user('5'), 'c2', 'n1'), /NOPERM/)
    await t.rejects(messages.set(keys.node('n1'), 'e2'), /NOPERM/)
  })

  t.test('gives no service other keys or commands that look after the server', async (t) => {
    for (const redis of [gateway, messages]) {
      await t.rejects(redis.get('other'), /NOPERM/)
      await t.rejects(redis.flushall(), /NOPERM/)
      await t.rejects(redis.keys('*'), /NOPERM/)
      await t.rejects(redis.config('GET', 'save'), /NOPERM/)
      await t.rejects(redis.acl('LIST'), /NOPERM/)
    }
  })
})

async function startRedis(t: Test): Promise<string> {
  const { path, env } = await locateRedis(CACHE, () => {})
  const port = await freePort()
  const redis = spawn('sh', [join(REPOSITORY, 'deploy', 'docker', 'start-redis.sh'), '--port', `${port}`], {
    env: {
      ...env,
      PATH: `${dirname(path)}:${env.PATH}`,
      REDIS_GATEWAY_PASSWORD: passwords.gateway,
      REDIS_MESSAGE_SERVICE_PASSWORD: passwords['message-service'],
    },
    stdio: 'ignore',
  })
  t.teardown(async () => {
    const ended = new Promise((resolve) => redis.once('exit', resolve))
    redis.kill()
    await ended
  })
  return `redis://127.0.0.1:${port}`
}

function connect(t: Test, url: string, user?: keyof typeof passwords): Redis {
  const credentials = user === undefined ? {} : { username: user, password: passwords[user] }
  const redis = new Redis(url, { ...credentials, retryStrategy: () => 50, enableReadyCheck: user !== undefined })
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  return redis
}
