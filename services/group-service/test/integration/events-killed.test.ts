import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { eventsStreamName } from '@qunxin/bus'
import { operations } from '@qunxin/contracts'
import { startDevstack } from '@qunxin/devstack'
import t from 'tap'
import { createClient, openDatabase } from '../../src/store/mongo/database.ts'
import { newUsers } from '../rules/world.ts'
import { logger, ownBus, ownConfig, until } from './servers.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
t.setTimeout(90_000)
// Who is killed leaves transactions open, and they keep a database from being dropped for a minute.
const servers = await startDevstack({
  dataDir: t.testdir(),
  env: { ...process.env, NATS_URL: process.env.QUNXIN_TEST_NATS_URL, REDIS_URL: process.env.QUNXIN_TEST_REDIS_URL },
  durable: false,
})
const config = ownConfig({ OWNER_TIMEOUT_MS: '1', MONGO_URL: servers.mongoUrl })
const client = createClient(config)
t.teardown(async () => {
  await client.close()
  await servers.stop()
})
const db = await openDatabase(client, config, { logger })
const bus = await ownBus(t, config)
const env = { ...process.env, ...Object.fromEntries(Object.entries(config).map(([name, value]) => [name, `${value}`])) }

async function startProcess() {
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) if (line.includes('"msg":"ready"')) break
  child.stdout.resume()
  return async () => {
    child.kill('SIGKILL')
    await ended
  }
}

/** Groups are made, changed and left, several at once, whatever becomes of the calls. */
function working() {
  const over = new AbortController()
  let done = 0
  const one = async () => {
    while (!over.signal.aborted) {
      const [user = '', other = ''] = newUsers(2)
      const call = { user, timeoutMs: 2_000 }
      await bus
        .request(operations['group.createGroup'], { groupName: '群', memberIds: [other] }, call)
        .then(async ({ groupId }) => {
          await bus.request(operations['group.updateGroup'], { groupId, introduction: '新' }, call)
          await bus.request(operations['group.kickGroupMembers'], { groupId, memberIds: [other] }, call)
          done += 1
        })
        .catch(() => {})
    }
  }
  const all = Promise.all(Array.from({ length: 8 }, one))
  return {
    async more() {
      const before = done
      await until('more to be done', () => done > before + 20)
    },
    async end() {
      over.abort()
      await all
    },
  }
}

async function published(): Promise<Set<string>> {
  const { streams } = await bus.jetstreamManager()
  const name = eventsStreamName(config.SUBJECT_PREFIX)
  const { state } = await streams.info(name)
  const seqs = Array.from({ length: state.messages }, (_, i) => state.first_seq + i)
  const all = await Promise.all(seqs.map((seq) => streams.getMessage(name, { seq })))
  return new Set(all.map((message) => message?.header.get('Nats-Msg-Id') ?? ''))
}

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

t.test(`processes killed at random leave no fact unpublished, and none twice (SEED=${seed})`, async (t) => {
  let state = seed
  const pause = () => {
    state = (state * 48_271) % 2_147_483_647
    return delay(state % 500)
  }
  const kills = [await startProcess(), await startProcess()]
  t.teardown(() => Promise.all(kills.map((kill) => kill())))
  const work = working()
  for (let round = 0; round < 4; round++) {
    await work.more()
    await pause()
    await kills[round % 2]?.()
    kills[round % 2] = await startProcess()
  }
  await work.end()
  await until('everything to be published', async () => (await db.outbox.countDocuments({ waiting: true })) === 0)
  const stored = (await db.outbox.find().project<{ _id: string }>({ _id: 1 }).toArray()).map(({ _id }) => _id)
  const there = await published()
  t.ok(stored.length > 100, `${stored.length} facts`)
  t.same(
    stored.filter((id) => !there.has(id)),
    [],
  )
  t.equal(there.size, stored.length)
})
