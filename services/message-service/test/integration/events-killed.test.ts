import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { eventsOf } from './events-stream.ts'
import { eventually, fakeGateway, fakeGroups, world } from './harness.ts'
import { checkWritten, random, startWriting } from './writers.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
t.setTimeout(240_000)
/** A silence of 10 s, and the oplog of everybody on a busy machine. */
const PATIENCE_MS = 60_000
const w = await world()
const children = new Set<ChildProcess>()
t.teardown(async () => {
  for (const child of children) await kill(child, 'SIGKILL')
  await w.end()
})
const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
t.teardown(() => gateway.stop())
const groups = fakeGroups(await w.connect('group-service'))
const events = await eventsOf(await w.connect('reader'), w.name)

async function startProcess(): Promise<ChildProcess> {
  const env = { ...process.env, ...w.environment }
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  for await (const line of createInterface({ input: child.stdout! })) if (JSON.parse(line).msg === 'ready') break
  child.stdout!.resume()
  return child
}

async function kill(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  children.delete(child)
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

/** Every number of every conversation, as the log has them. */
async function stored(): Promise<string[]> {
  const log = await w.db.collection<{ _id: string }>('messages').find().project<{ _id: string }>({ _id: 1 }).toArray()
  return log.map(({ _id }) => `${_id.slice(0, -17)} ${Number(_id.slice(-16))}`)
}

const untold = async () => {
  const told = await events.names()
  return (await stored()).filter((name) => !told.has(name))
}

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const pick = random(seed)
const members = ['1', '2', '3', '4']
groups.create('5', ...members)
const writing = () =>
  startWriting([
    ...members.map((from) => ({ gateway, from, to: { group: '5' } })),
    ...members.map((from) => ({ gateway, from, to: { user: `1${from}` } })),
  ])

t.test(`processes killed at random under load leave nothing untold (SEED=${seed})`, async (t) => {
  const running = [await startProcess(), await startProcess()]
  const writers = writing()
  await writers.more('before')
  for (let kills = 0; kills < 4; kills++) {
    await delay(pick(1_500))
    const victim = pick(running.length)
    await kill(running[victim]!, 'SIGKILL')
    running[victim] = await startProcess()
    await writers.more('by those who live')
  }
  await checkWritten(t, w.db, await writers.end())
  await eventually('everything to be told', async () => (await untold()).length === 0, PATIENCE_MS)
})

t.test('what all left untold the next start tells', async (t) => {
  const writers = writing()
  await writers.more('before')
  for (const child of [...children]) await kill(child, 'SIGKILL')
  t.comment(`${(await untold()).length} untold`)
  const last = await startProcess()
  await writers.more('by the next one')
  await writers.end()
  await eventually('everything to be told', async () => (await untold()).length === 0, PATIENCE_MS)
  await eventually(
    'no watermark of the dead to be left',
    async () => {
      return (await w.db.collection('watermarks').countDocuments()) === 1
    },
    PATIENCE_MS,
  )
  await kill(last, 'SIGTERM')
  t.equal(await w.db.collection('watermarks').countDocuments(), 0)
})
