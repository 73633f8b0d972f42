import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startDevstack } from '@qunxin/devstack'
import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import { MongoClient } from 'mongodb'
import t, { type Test } from 'tap'

export type Server = 'NATS' | 'MongoDB' | 'Redis'

const { QUNXIN_TEST_NATS_URL, QUNXIN_TEST_MONGO_URL, QUNXIN_TEST_REDIS_URL } = process.env

/** Servers of this file; each system asked for has names of its own on them, and a way to each that can be broken. */
export async function breakableServers() {
  const dataDir = await mkdtemp(join(tmpdir(), 'qunxin-breakable-'))
  const servers = await startDevstack({
    dataDir,
    durable: false,
    env: { NATS_URL: QUNXIN_TEST_NATS_URL, MONGO_URL: QUNXIN_TEST_MONGO_URL, REDIS_URL: QUNXIN_TEST_REDIS_URL },
  })
  t.teardown(async () => {
    await servers.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  /** The environment of a system's services. */
  return async function breakable(t: Test) {
    const name = `t${randomBytes(4).toString('hex')}`
    const proxies = {
      NATS: await startTcpProxy(servers.natsUrl('operator')),
      MongoDB: await startTcpProxy(servers.mongoUrl),
      Redis: await startTcpProxy(servers.redisUrl),
    }
    t.teardown(async () => {
      for (const proxy of Object.values(proxies)) await proxy.stop()
      const mongo = new MongoClient(servers.mongoUrl)
      await mongo.db(name).dropDatabase()
      await mongo.close()
    })
    const port = await freePort()
    const authSecret = randomBytes(32).toString('hex')
    const env = {
      NATS_URL: proxies.NATS.url,
      MONGO_URL: proxies.MongoDB.url,
      REDIS_URL: proxies.Redis.url,
      SUBJECT_PREFIX: name,
      MONGO_DATABASE: name,
      REDIS_PREFIX: `${name}:`,
      EVENTS_MAX_BYTES: `${64 * 1024 * 1024}`,
      HOST: '127.0.0.1',
      PORT: `${port}`,
      AUTH_SECRET: authSecret,
    }
    return { proxies, env, authSecret, url: `http://127.0.0.1:${port}` }
  }
}
