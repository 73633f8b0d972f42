import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { eventually, fakeGateway, fakeGroups, ownedBy, PARTITIONS, world } from './harness.ts'

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

/** Writers into one group, each waiting for its answers before it goes on; ends with what each has sent. */
function writing(group: string, writers: string[]) {
  groups.create(group, ...writers)
  const over = new AbortController()
  let answered = 0
  const all = writers.map(async (writer) => {
    const sent: string[] = []
    while (!over.signal.aborted) {
      const sends = [1, 2, 3].map(() => gateway.entry(writer, { group }))
      sent.push(...sends.map(({ msgId }) => msgId))
      for (const answer of await gateway.send(...sends)) if ('code' in answer) throw new Error(answer.code)
      answered += sends.length
    }
    return { writer, sent }
  })
  const more = async (what: string) => {
    const from = answered
    await eventually(`sends to be answered ${what}`, () => answered > from + 30)
  }
  const end = async () => {
    over.abort()
    return Promise.all(all)
  }
  return { more, end }
}

/** Every message once, in the order sent, without a hole, and each in front of the receivers. */
async function check(t: Test, group: string, written: { writer: string; sent: string[] }[]) {
  const log = await w.db
    .collection('messages')
    .find({ conversation: `g${group}` })
    .sort({ _id: 1 })
    .toArray()
  t.ok(log.every(({ _id }, i) => Number(String(_id).slice(-16)) === i + 1))
  for (const { writer, sent } of written) {
    t.same(
      log.flatMap(({ from, msgId }) => (from === writer ? [msgId] : [])),
      sent,
      `all of ${writer}, in order, once`,
    )
  }
  const seen = new Set(gateway.messages(`g${group}`).map(({ item }) => item.seq))
  t.equal(seen.size, log.length)
}

t.test(
  'an owner that is stopped for a while and wakes up doubles nothing and overtakes nothing',
  { timeout: 60_000 },
  async (t) => {
    const sleeper = await startProcess()
    const writers = writing('5', ['1', '2', '3', '4'])
    await writers.more('by the only one')
    const other = await startProcess()
    await writers.more('by two')
    sleeper.child.kill('SIGSTOP')
    await eventually('the other to own everything', async () => (await ownedBy(other.opsUrl)) === PARTITIONS)
    await writers.more('while one sleeps')
    sleeper.child.kill('SIGCONT')
    await writers.more('after it woke up')
    await check(t, '5', await writers.end())
    other.child.kill('SIGTERM')
    t.same(await once(other.child, 'exit'), [0, null])
  },
)

t.test('kill -9 under load loses nothing that was answered', { timeout: 60_000 }, async (t) => {
  const writers = writing('6', ['1', '2', '3', '4'])
  await writers.more('before')
  for (let kills = 0; kills < 3; kills++) {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await startProcess()
    await writers.more('by the next one')
  }
  await check(t, '6', await writers.end())
  const [last] = children
  last!.kill('SIGTERM')
  t.same(await once(last!, 'exit'), [0, null])
})
