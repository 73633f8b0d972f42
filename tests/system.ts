import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '@nats-io/transport-node'
import { type System, type SystemOptions, startSystem } from '@qunxin/devstack'
import { MongoClient } from 'mongodb'
import type { Test } from 'tap'

export interface TestSystem {
  system: System
  /** HTTP addresses of the gateways. */
  urls: string[]
  authSecret: string
  /** First token of every NATS subject. */
  subjectPrefix: string
  /** The process of that name as of now. */
  pid(name: string): number
  /** Everything that process has logged, line by line. */
  log(name: string): Promise<Record<string, unknown>[]>
}

export interface TestSystemOptions
  extends Pick<
    SystemOptions,
    'gateways' | 'groupServices' | 'messageServices' | 'rateLimits' | 'serviceEnv' | 'serviceEnvOf' | 'restartWithinMs'
  > {
  /** NATS, MongoDB and Redis of this system alone, with the users of deploy/nats: to be stopped, flushed and looked at. */
  ownServers?: boolean
}

/** Of a whole file; tap's own 30 s are for small ones. */
const PATIENCE_MS = 7 * 60_000

/**
 * The whole system on free ports, stopped when the test ends. On the servers that all test files share it keeps to itself by a
 * subject prefix, a database and Redis keys of its own.
 */
export async function testSystem(t: Test, options: TestSystemOptions = {}): Promise<TestSystem> {
  const { ownServers = false, serviceEnv, ...rest } = options
  t.setTimeout(PATIENCE_MS)
  const name = `t${randomBytes(4).toString('hex')}`
  const { QUNXIN_TEST_NATS_URL, QUNXIN_TEST_MONGO_URL, QUNXIN_TEST_REDIS_URL } = process.env
  const shared = !ownServers && QUNXIN_TEST_MONGO_URL !== undefined && QUNXIN_TEST_NATS_URL !== undefined
  const dataDir = await mkdtemp(join(tmpdir(), 'qunxin-test-'))
  const system = await startSystem({
    gateways: 2,
    rateLimits: false,
    ...rest,
    dataDir,
    durable: false,
    env: shared
      ? { NATS_URL: QUNXIN_TEST_NATS_URL, MONGO_URL: QUNXIN_TEST_MONGO_URL, REDIS_URL: QUNXIN_TEST_REDIS_URL }
      : { PATH: process.env.PATH },
    serviceEnv: {
      ...(shared && {
        SUBJECT_PREFIX: name,
        MONGO_DATABASE: name,
        REDIS_PREFIX: `${name}:`,
        // NATS sets the room aside that a stream may take.
        EVENTS_MAX_BYTES: `${64 * 1024 * 1024}`,
      }),
      ...serviceEnv,
    },
  })
  t.teardown(async () => {
    await system.stop()
    if (shared) {
      await dropDatabase(QUNXIN_TEST_MONGO_URL, name)
      await dropStream(QUNXIN_TEST_NATS_URL, name)
    }
    if (process.env.QUNXIN_TEST_KEEP === undefined) await rm(dataDir, { recursive: true, force: true })
  })
  return {
    system,
    urls: system.gateways.map(({ url }) => url),
    authSecret: system.authSecret,
    subjectPrefix: shared ? name : 'im',
    pid(wanted) {
      const found = system.processes.find((process) => process.name === wanted)
      if (!found || found.pid === 0) throw new Error(`${wanted} is not a process of this system`)
      return found.pid
    },
    async log(wanted) {
      const text = await readFile(join(dataDir, 'logs', `${wanted}.log`), 'utf8')
      return text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
    },
  }
}

async function dropDatabase(url: string, name: string): Promise<void> {
  const mongo = new MongoClient(url)
  await mongo.db(name).dropDatabase()
  await mongo.close()
}

async function dropStream(url: string, prefix: string): Promise<void> {
  const { host, username, password } = new URL(url)
  const nats = await connect({ servers: host, ...(username && { user: username, pass: password }) })
  await nats.request(`$JS.API.STREAM.DELETE.${prefix.toUpperCase()}_EVENTS`)
  await nats.close()
}
