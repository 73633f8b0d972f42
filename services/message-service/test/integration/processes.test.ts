import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { groupConversation, partitionOf, subjects } from '@qunxin/contracts'
import t from 'tap'
import { eventually, fakeGateway, fakeGroups, ownedBy, PARTITIONS, world } from './harness.ts'
import { checkWritten, startWriting } from './writers.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
t.setTimeout(120_000)
const w = await world()
const children: ChildProcess[] = []
t.teardown(async () => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  await w.end()
})
const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
t.teardown(() => gateway.stop())
const groups = fakeGroups(await w.connect('group-service'))

async function startProcess(): Promise<{ child: ChildProcess; opsUrl: string }> {
  const env = { ...process.env, ...w.environment }
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  for await (const line of createInterface({ input: child.stdout! })) {
    const said = JSON.parse(line)
    if (said.msg !== 'ready') continue
    child.stdout!.resume()
    return { child, opsUrl: said.opsUrl }
  }
  throw new Error('it ended before it was ready')
}

/** Four writers into one group. */
function writing(group: string) {
  const members = ['1', '2', '3', '4']
  groups.create(group, ...members)
  return startWriting(members.map((from) => ({ gateway, from, to: { group } })))
}

t.test(
  'an owner that is stopped for a while and wakes up doubles nothing and overtakes nothing',
  { timeout: 60_000 },
  async (t) => {
    const sleeper = await startProcess()
    const writers = writing('5')
    await writers.more('by the only one')
    const other = await startProcess()
    await writers.more('by two')
    sleeper.child.kill('SIGSTOP')
    await eventually('the other to own everything', async () => (await ownedBy(other.opsUrl)) === PARTITIONS)
    await writers.more('while one sleeps')
    sleeper.child.kill('SIGCONT')
    await writers.more('after it woke up')
    await checkWritten(t, w.db, await writers.end())
    other.child.kill('SIGTERM')
    t.same(await once(other.child, 'exit'), [0, null])
  },
)

t.test('kill -9 under load loses nothing that was answered', { timeout: 60_000 }, async (t) => {
  const writers = writing('6')
  await writers.more('before')
  for (let kills = 0; kills < 3; kills++) {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await startProcess()
    await writers.more('by the next one')
  }
  await checkWritten(t, w.db, await writers.end())
  const [last] = children
  last!.kill('SIGTERM')
  t.same(await once(last!, 'exit'), [0, null])
})

t.test('of a join an owner hears of only when it wakes up, nothing counts as read that was sent since', async (t) => {
  const sleeper = await startProcess()
  // In all partitions: some are its own again when it wakes up.
  const ids = Array.from({ length: 4 * PARTITIONS }, (_, index) => groups.create(String(80 + index), '1', '2'))
  const say = () => gateway.send(...ids.map((group) => gateway.entry('1', { group })))
  await say()
  sleeper.child.kill('SIGSTOP')
  const bus = await w.connect('group-service')
  const added = ['3']
  for (const groupId of ids) {
    const subject = subjects.partitionMembership(partitionOf(groupConversation(groupId), PARTITIONS))
    const notice = { reason: 'joined', byUserId: '3', userIds: added, listChanged: added }
    bus.publish(subject, JSON.stringify({ groupId, version: groups.store(groupId, { added }), added, notice }))
  }
  await bus.flush()
  const other = await startProcess()
  for (const answer of await say()) t.match(answer, { seq: 2 })
  sleeper.child.kill('SIGCONT')
  const owned = async () => (await ownedBy(sleeper.opsUrl)) + (await ownedBy(other.opsUrl))
  await eventually('each partition to have one owner', async () => (await owned()) === PARTITIONS)
  t.same(await w.db.collection('cursors').find({ user: '3' }).toArray(), [])
})
