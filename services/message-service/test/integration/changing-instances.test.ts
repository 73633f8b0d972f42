import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { subjects } from '@qunxin/contracts'
import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import t from 'tap'
import { eventually, fakeGateway, fakeGroups, ownedBy, PARTITIONS, tappedLog, world } from './harness.ts'
import { checkWritten, random, startWriting, type Writer } from './writers.ts'

const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
t.comment(`TEST_SEED=${seed}`)
const pick = random(seed)
t.setTimeout(240_000)
const w = await world()
t.teardown(() => w.end())
const gateways = await Promise.all(
  ['node-1', 'node-2'].map(async (node) => fakeGateway(await w.connect(node), node, { repeatMs: 500 })),
)
t.teardown(() => {
  for (const gateway of gateways) gateway.stop()
})
const groups = fakeGroups(await w.connect('group-service'))

let nextUser = 100
/** Writers into three groups, by both gateways, and into personal conversations over all partitions. */
function writers(): Writer[] {
  const made: Writer[] = []
  for (let group = 0; group < 3; group++) {
    const members = Array.from({ length: 4 }, () => String(nextUser++))
    const groupId = groups.create(String(nextUser++), ...members)
    for (const [index, from] of members.entries())
      made.push({ gateway: gateways[index % 2]!, from, to: { group: groupId } })
  }
  for (let pair = 0; pair < 6; pair++) {
    const [one, two] = [String(nextUser++), String(nextUser++)]
    made.push({ gateway: gateways[0]!, from: one, to: { user: two } })
    made.push({ gateway: gateways[1]!, from: two, to: { user: one } })
  }
  return made
}

const ownedByAll = async (services: readonly { opsUrl: string }[]) => {
  const owned = await Promise.all(services.map(({ opsUrl }) => ownedBy(opsUrl)))
  return owned.reduce((sum, one) => sum + one, 0)
}

t.test('instances that join and leave at random, several at once, refuse nothing and lose nothing', async (t) => {
  const running = [await w.start()]
  const writing = startWriting(writers())
  await writing.more('by the first')
  const steps: string[] = []
  for (let step = 0; step < 6; step++) {
    // Two things at once: two joins, a join during a leave, or two leaves.
    const acts: Promise<void>[] = []
    for (let act = 0; act < 2; act++) {
      const leaves = running.length > 1 && (running.length >= 5 || pick(2) === 0)
      if (leaves) {
        const [leaver] = running.splice(pick(running.length), 1)
        steps.push('leave')
        acts.push(delay(pick(300)).then(() => leaver!.stop()))
      } else {
        steps.push('join')
        acts.push(delay(pick(300)).then(async () => void running.push(await w.start())))
      }
    }
    await Promise.all(acts)
    await delay(pick(400))
  }
  t.comment(steps.join(' '))
  await writing.more('by the last ones')
  await eventually('each partition to have one owner', async () => (await ownedByAll(running)) === PARTITIONS)
  await checkWritten(t, w.db, await writing.end())
  await Promise.all(running.map((service) => service.stop()))
})

t.test('two owners at once, one of whom nobody hears: nothing doubled, lost, refused or out of order', async (t) => {
  const proxy = await startTcpProxy(w.environment.NATS_URL)
  t.teardown(() => proxy.stop())
  const heard = await w.start()
  const unheard = await w.start({ NATS_URL: proxy.url })
  const writing = startWriting(writers())
  await writing.more('by both')
  for (let round = 0; round < 2; round++) {
    proxy.impair({ kind: 'blackhole', direction: 'upstream' })
    await eventually('the other to own everything', async () => (await ownedBy(heard.opsUrl)) === PARTITIONS)
    t.ok((await ownedBy(unheard.opsUrl)) > 0, 'and still it believes that it owns some')
    await writing.more('by two owners', 300)
    proxy.mend()
    await eventually('one owner each', async () => (await ownedByAll([heard, unheard])) === PARTITIONS)
    await writing.more('after it was heard again', 300)
  }
  await checkWritten(t, w.db, await writing.end())
  await Promise.all([heard.stop(), unheard.stop()])
})

t.test('an owner that hears nobody takes old sends for new ones when it hears again, and does no harm', async (t) => {
  const proxy = await startTcpProxy(w.environment.NATS_URL)
  t.teardown(() => proxy.stop())
  const other = await w.start()
  const deaf = await w.start({ NATS_URL: proxy.url })
  const writing = startWriting(writers())
  await writing.more('by both')
  proxy.impair({ kind: 'blackhole' })
  await eventually('it to believe that it is alone', async () => (await ownedBy(deaf.opsUrl)) === PARTITIONS)
  await eventually('the other to own everything', async () => (await ownedBy(other.opsUrl)) === PARTITIONS)
  await writing.more('without it', 300)
  proxy.mend()
  await eventually('one owner each', async () => (await ownedByAll([other, deaf])) === PARTITIONS)
  await writing.more('with it', 300)
  await checkWritten(t, w.db, await writing.end())
  await Promise.all([other.stop(), deaf.stop()])
})

t.test('a write that was held past the take-over comes to nothing, or to what was sent', async (t) => {
  const proxy = await startTcpProxy(w.environment.NATS_URL)
  t.teardown(() => proxy.stop())
  const { stallNextAppend, wrapLog } = tappedLog()
  const zombie = await w.start({ NATS_URL: proxy.url, LANES: '1' }, { wrapLog })
  const writing = startWriting(writers())
  await writing.more('by the zombie to be')
  for (let round = 0; round < 2; round++) {
    const stall = stallNextAppend()
    await stall.reached
    // Nothing it says is heard any more, and its numbered messages wait in front of the log.
    proxy.impair({ kind: 'blackhole', direction: 'upstream' })
    const successor = await w.start()
    await eventually('the successor to own everything', async () => (await ownedBy(successor.opsUrl)) === PARTITIONS)
    await writing.more('by the successor', 200)
    stall.release()
    await writing.more('beside the late write', 100)
    proxy.mend()
    await eventually('one owner each', async () => (await ownedByAll([zombie, successor])) === PARTITIONS)
    await writing.more('by both', 100)
    await successor.stop()
    await writing.more('by the zombie alone', 100)
  }
  await checkWritten(t, w.db, await writing.end())
  await zombie.stop()
})

t.test('a successor takes over within 3 s of the last word of its predecessor', async (t) => {
  const proxy = await startTcpProxy(w.environment.NATS_URL)
  t.teardown(() => proxy.stop())
  const bus = await w.connect('listener')
  const dying = await w.start({ NATS_URL: proxy.url })
  const successor = await w.start()
  let lastWord = 0
  bus.subscribe(subjects.messageInstances, (message) => {
    if (message.json<{ instance: string }>().instance === dying.instance) lastWord = performance.now()
  })
  await bus.flush()
  await eventually('a word', () => lastWord > 0)
  proxy.impair({ kind: 'blackhole' })
  await eventually('the successor to own everything', async () => (await ownedBy(successor.opsUrl)) === PARTITIONS)
  // 2 s of silence and half a second between two looks; the rest is what a busy machine may take.
  t.ok(performance.now() - lastWord < 5_000, `${performance.now() - lastWord} ms`)
  proxy.mend()
  await Promise.all([dying.stop(), successor.stop()])
})
