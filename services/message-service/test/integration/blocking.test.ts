import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { blockList, blockUser, errors, muteConversation, personalConversation, unblockUser } from '@qunxin/contracts'
import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import { AppError } from '@qunxin/runtime'
import t from 'tap'
import { MongoPreferences } from '../../src/store/mongo-preferences.ts'
import { eventually, fakeGateway, fakeGroups, ownedBy, PARTITIONS, tappedLog, world } from './harness.ts'
import { random } from './writers.ts'

const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
t.comment(`TEST_SEED=${seed}`)
const pick = random(seed)
t.setTimeout(120_000)
const w = await world()
t.teardown(() => w.end())
const gateway = await fakeGateway(await w.connect('node-1'), 'node-1', { repeatMs: 500 })
t.teardown(() => gateway.stop())
const groups = fakeGroups(await w.connect('group-service'))
const client = await w.connect('client')
const messages = w.db.collection('messages', { readConcern: { level: 'majority' } })

/** Until it is answered: while owners change, a call may be told that it is not known whether it is done. */
async function untilAnswered(ask: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await ask()
      return
    } catch (error) {
      if (!(error instanceof AppError) || !errors[error.code].retryable) throw error
    }
  }
}
const block = (blocker: string, blocked: string) =>
  untilAnswered(() => client.request(blockUser, { blockUserId: blocked }, { user: blocker }))
const unblock = (blocker: string, blocked: string) =>
  untilAnswered(() => client.request(unblockUser, { blockUserId: blocked }, { user: blocker }))
let nextUser = 100
const newPair = () => [String(nextUser++), String(nextUser++)] as const

/** What of one user's is stored and has gone out to the other. */
async function reached(from: string, to: string) {
  await gateway.flush()
  const conversation = personalConversation(from, to)
  const stored = await messages.countDocuments({ conversation, from })
  const sent = gateway.messages(conversation).filter(({ item, frame }) => {
    return frame.data.fromUserId === Number(from) && item.users.includes(to)
  })
  return { stored, delivered: sent.length, seqs: [...new Set(sent.map(({ item }) => item.seq))].sort() }
}

/** Sends one by one until it is told to stop. */
function keepSending(from: string, to: string) {
  const over = new AbortController()
  const codes = new Set<string>()
  let accepted = 0
  let refused = 0
  const done = (async () => {
    while (!over.signal.aborted) {
      const [answer] = await gateway.send(gateway.entry(from, { user: to }))
      if (answer && 'code' in answer) {
        refused += 1
        codes.add(answer.code)
      } else accepted += 1
    }
  })()
  return {
    codes,
    get accepted() {
      return accepted
    },
    get refused() {
      return refused
    },
    async end() {
      over.abort()
      await done
    },
  }
}

t.test(
  'from the answer to a block on nothing is stored or delivered, while sends flow and owners change',
  async (t) => {
    const running = [await w.start(), await w.start()]
    let churning = true
    const churn = (async () => {
      while (churning) {
        if (running.length > 1 && (running.length > 3 || pick(2) === 0))
          await running.splice(pick(running.length), 1)[0]!.stop()
        else running.push(await w.start())
        await delay(pick(300))
      }
    })()
    const faults: string[] = []
    const rounds = async () => {
      const [blocker, blocked] = newPair()
      const sending = keepSending(blocked, blocker)
      for (let round = 0; round < 5; round++) {
        const { accepted } = sending
        await eventually('a message to be accepted', () => sending.accepted > accepted)
        await block(blocker, blocked)
        const before = await reached(blocked, blocker)
        const { refused } = sending
        await eventually('some to be refused', () => sending.refused > refused + 2)
        await delay(pick(1_000))
        const after = await reached(blocked, blocker)
        if (JSON.stringify(before) !== JSON.stringify(after))
          faults.push(`${blocked} in round ${round}: ${JSON.stringify(before)}, then ${JSON.stringify(after)}`)
        await unblock(blocker, blocked)
      }
      await sending.end()
      t.same([...sending.codes], ['NOT_ALLOWED'])
    }
    await Promise.all(Array.from({ length: 6 }, rounds))
    churning = false
    await churn
    t.same(faults, [])
    await Promise.all(running.map((service) => service.stop()))
  },
)

t.test('a commit that is under way at the block comes before its answer', async (t) => {
  const tapped = tappedLog()
  const service = await w.start({}, { wrapLog: tapped.wrapLog })
  const [blocker, blocked] = newPair()
  await gateway.send(gateway.entry(blocked, { user: blocker }))
  const stalled = tapped.stallNextAppend()
  const sending = gateway.send(gateway.entry(blocked, { user: blocker }))
  await stalled.reached
  let answered = false
  const blocking = block(blocker, blocked).then(() => {
    answered = true
  })
  await eventually('the block to be stored', () =>
    w.db.collection('preferences').findOne({ user: blocker, blocked: true }),
  )
  const late = gateway.send(gateway.entry(blocked, { user: blocker }))
  await delay(50)
  t.notOk(answered)
  stalled.release()
  t.match(await sending, [{ seq: 2 }])
  await blocking
  t.match(await reached(blocked, blocker), { stored: 2, delivered: 2 })
  t.match(await late, [{ code: 'NOT_ALLOWED' }])
  await service.stop()
})

t.test('a new owner refuses too, answers what was stored before, and tells the blocker of it no more', async (t) => {
  const first = await w.start()
  const [blocker, blocked] = newPair()
  const before = gateway.entry(blocked, { user: blocker })
  await gateway.send(before)
  await block(blocker, blocked)
  await first.stop()
  const second = await w.start()
  const reachedBefore = await reached(blocked, blocker)
  const [again, other] = await gateway.send(
    { ...before, id: before.id + 1_000_000 },
    gateway.entry(blocked, { user: blocker }),
  )
  t.match(again, { seq: 1, duplicate: true })
  t.match(other, { code: 'NOT_ALLOWED' })
  t.same(await reached(blocked, blocker), reachedBefore)
  t.match(await gateway.send(gateway.entry(blocker, { user: blocked })), [{ seq: 2 }], 'the other way it is open')
  await second.stop()
})

t.test('what was refused while its owner stood still is not stored by it when it goes on', async (t) => {
  const proxy = await startTcpProxy(w.environment.NATS_URL)
  t.teardown(() => proxy.stop())
  const sleeper = await w.start({ NATS_URL: proxy.url })
  const [blocker, blocked] = newPair()
  await gateway.send(gateway.entry(blocked, { user: blocker }))
  proxy.impair({ kind: 'blackhole' })
  const [refused, later] = [gateway.entry(blocked, { user: blocker }), gateway.entry(blocked, { user: blocker })]
  gateway.publish([refused])
  const other = await w.start()
  await eventually('it to own everything', async () => (await ownedBy(other.opsUrl)) === PARTITIONS)
  await block(blocker, blocked)
  t.match(await gateway.send(refused), [{ code: 'NOT_ALLOWED' }])
  await unblock(blocker, blocked)
  await other.stop()
  sleeper.dropCaches('stall')
  proxy.mend()
  t.match(await gateway.send(later), [{ seq: 2 }])
  // A new owner may tell what it finds once more: connections that had it drop it.
  t.match(await reached(blocked, blocker), { stored: 2, seqs: [1, 2] })
  await sleeper.stop()
})

t.test('devices that block and take it back at the same time leave in force what is stored', async (t) => {
  const service = await w.start()
  for (let round = 0; round < 5; round++) {
    const [blocker, blocked] = newPair()
    await Promise.all([block(blocker, blocked), unblock(blocker, blocked), block(blocker, blocked)])
    const { userIds } = await client.request(blockList, {}, { user: blocker })
    const [answer] = await gateway.send(gateway.entry(blocked, { user: blocker }))
    t.equal('code' in answer!, userIds.includes(Number(blocked)))
  }
  await service.stop()
})

t.test('a mute is stored, kept over a change of owner, and only for who is in the conversation', async (t) => {
  const first = await w.start()
  const group = groups.create('77', '1', '2', '3')
  const preferences = new MongoPreferences(w.db)
  const mute = (user: string, muted: boolean) =>
    client.request(muteConversation, { sessionId: group, muted }, { user, timeoutMs: 10_000 })
  await Promise.all([mute('1', true), mute('2', true)])
  await client.request(muteConversation, { peerUserId: '9', muted: true }, { user: '1' })
  await first.stop()
  const second = await w.start()
  t.same([...(await preferences.mutedIn('g77'))].sort(), ['1', '2'])
  t.same([...(await preferences.mutedIn('p1-9'))], ['1'])
  await mute('1', false)
  await mute('1', false)
  t.same([...(await preferences.mutedIn('g77'))], ['2'])
  await t.rejects(mute('8', true), { code: 'NOT_A_MEMBER' })
  await t.rejects(client.request(muteConversation, { sessionId: '78', muted: true }, { user: '1' }), {
    code: 'GROUP_NOT_FOUND',
  })
  await second.stop()
})

t.test('nobody blocks themselves, and without a message-service nothing is promised', async (t) => {
  const service = await w.start()
  await t.rejects(block('1', '1'), { code: 'NO_SUCH_RECEIVER' })
  await service.stop()
  const asking = client.request(blockUser, { blockUserId: '2' }, { user: '1', timeoutMs: 300 })
  await t.rejects(asking, { code: 'UNAVAILABLE' })
})
