/**
 * `node services/message-service/test/bench/append.ts`: what the log takes for one message on this machine, with nothing else of the
 * system running, when appends follow each other and when there is a pause before each; and what it takes to be woken at all.
 * No message is told of before its append has been answered, so this is the least that one costs at a low rate. Linux only: mongod's
 * processor time is read from /proc.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startDevstack } from '@qunxin/devstack'
import { createLogger } from '@qunxin/runtime'
import { LatencyRecorder } from '../../../../tests/load/measure/latency.ts'
import { cpuMicroseconds } from '../../../../tests/load/measure/proc.ts'
import { connectMongo } from '../../src/store/mongo.ts'
import { MongoLog } from '../../src/store/mongo-log.ts'
import { message } from '../sample.ts'

const SECONDS = Number(process.env.SECONDS ?? 4)
const PAUSES_MS = [0, 2, 10]
const CONVERSATIONS = 100
const TEXT = 'the quick brown fox jumps over the lazy dog, 敏捷的棕色狐狸跳过懒狗；'.repeat(3)

const directory = await mkdtemp(join(tmpdir(), 'append-'))
const servers = await startDevstack({
  dataDir: directory,
  durable: false,
  env: { PATH: process.env.PATH, DEVSTACK_DOCKER: 'off' },
})
const logger = createLogger('bench', 'warn')
const mongo = await connectMongo({ url: servers.mongoUrl, database: 'bench', logger })
const log = new MongoLog(mongo.db)
const mongod = servers.processes.find(({ name }) => name === 'mongod')?.pid ?? 0
let appended = 0

async function append(): Promise<void> {
  const seq = Math.floor(appended / CONVERSATIONS) + 1
  const conversation = `p${(appended % CONVERSATIONS) + 1}-1000`
  await log.append([message({ conversation, seq, msgId: `${appended}`, text: TEXT })])
  appended += 1
}

/** Does it again and again, with a pause before each, and says what each took. */
async function measure(what: string, pauseMs: number, act: () => Promise<void>): Promise<void> {
  const latencies = new LatencyRecorder()
  let times = 0
  const until = performance.now() + SECONDS * 1_000
  const before = { own: process.cpuUsage(), mongod: cpuMicroseconds(mongod) }
  while (performance.now() < until) {
    if (pauseMs > 0) await delay(pauseMs)
    const since = performance.now()
    await act()
    latencies.record(since, performance.now())
    times += 1
  }
  const { user, system } = process.cpuUsage(before.own)
  const ofMongod = cpuMicroseconds(mongod) - before.mongod
  const at = (percentile: number) => `${latencies.at(percentile).toFixed(2)} ms`
  const each = (microseconds: number) => `${Math.round(microseconds / times)} µs`
  const rate = `${Math.round(times / SECONDS)}/s`
  const cpu = `this process ${each(user + system)}, mongod ${each(ofMongod)}`
  console.log(`${what}, ${pauseMs} ms between: ${rate}, p50 ${at(50)}, p99 ${at(99)}; CPU of each: ${cpu}`)
}

try {
  for (let i = 0; i < 2_000; i++) await append()
  for (const pause of PAUSES_MS) await measure('append', pause, append)
  for (const pause of PAUSES_MS.filter((pause) => pause > 0)) await measure('nothing', pause, async () => {})
} finally {
  await mongo.close()
  await servers.stop()
  await rm(directory, { recursive: true, force: true })
}
