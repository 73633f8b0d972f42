import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '@nats-io/transport-node'
import type { OfflineFact, StoredFact } from '@qunxin/contracts'
import t, { type Test } from 'tap'
import { verify } from '../../examples/webhook-bridge/src/signature.ts'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import { testSystem } from '../system.ts'
import { killAndWait } from './processes.ts'

const BRIDGE = join(import.meta.dirname, '..', '..', 'examples', 'webhook-bridge', 'src', 'main.ts')
const WEBHOOK_SECRET = randomUUID()

const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
t.comment(`TEST_SEED=${seed}`)
let state = seed
/** Numbers of the seed, from 0 to below `below`. */
function pick(below: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}

const system = await testSystem(t, { ownServers: true, messageServices: 2 })
const newPerson = people(t, system)

type Fact = Partial<OfflineFact> & StoredFact
type Mood = 'well' | 'refuses' | 'hangs' | 'breaks off' | 'takes it and says nothing'

/** A webhook with moods. What it has answered 200 to, or would have, counts as taken. */
async function webhook(t: Test) {
  const taken: { subject: string; fact: Fact }[] = []
  const faults: string[] = []
  let mood: () => Mood = () => 'well'
  const answer = (response: ServerResponse, how: Mood) => {
    if (how === 'refuses') response.writeHead(500).end()
    if (how === 'breaks off' || how === 'takes it and says nothing') response.destroy()
    if (how === 'well') response.writeHead(200).end()
  }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const [timestamp, signature] = [String(request.headers['x-timestamp']), String(request.headers['x-signature'])]
      if (!verify(body, WEBHOOK_SECRET, { timestamp, signature })) faults.push('a signature is wrong')
      const how = mood()
      if (how === 'well' || how === 'takes it and says nothing') taken.push(...JSON.parse(body).facts)
      answer(response, how)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return {
    url,
    taken,
    faults,
    feels(next: () => Mood) {
      mood = next
    },
  }
}

/** The bridge as a process of its own, to be killed. */
async function bridges(t: Test, settings: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'qunxin-bridge-'))
  const lines: Record<string, unknown>[] = []
  let running: ChildProcess | undefined
  const stop = async (signal: NodeJS.Signals) => {
    if (!running || running.exitCode !== null || running.signalCode !== null) return
    const exit = once(running, 'exit')
    running.kill(signal)
    await exit
  }
  t.teardown(async () => {
    await stop('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })
  return {
    lines,
    stop,
    deadLetters: async () =>
      (await readFile(join(folder, 'dead.jsonl'), 'utf8').catch(() => '')).split('\n').filter(Boolean),
    start() {
      const child = spawn(process.execPath, [BRIDGE], {
        env: {
          PATH: process.env.PATH,
          NATS_URL: system.system.natsUrl,
          CONSUMER: `bridge-${t.name.length}`,
          START: 'all',
          WEBHOOK_SECRET,
          TIMEOUT_MS: '300',
          BACKOFF_MS: '20',
          LONGEST_BACKOFF_MS: '200',
          ATTEMPTS: '1000',
          ACK_WAIT_MS: '2000',
          BATCH_WAIT_MS: '20',
          DEAD_LETTERS: join(folder, 'dead.jsonl'),
          ...settings,
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let rest = ''
      child.stdout.on('data', (chunk) => {
        const parts = (rest + chunk).split('\n')
        rest = parts.pop() ?? ''
        for (const part of parts) lines.push(JSON.parse(part))
      })
      running = child
      return child
    },
  }
}

/** Pairs who write to each other without ever being there, and what the webhook must be told of. */
async function writers(count: number) {
  const pairs = await Promise.all(Array.from({ length: count }, async () => [await newPerson(), await newPerson()]))
  const sent: string[] = []
  let writing = true
  const done = Promise.all(
    pairs.map(async ([from, to], i) => {
      for (let n = 0; writing; n++) {
        const data = {
          toUserId: to!.number,
          sessionId: '',
          msgId: randomUUID(),
          msgContentType: '1',
          contentStr: `${n}`,
        }
        // The same again until it is stored.
        for (;;) {
          const answer = await from!.post('/chat/chat!sendMessage', data, { gateway: i }).catch(() => undefined)
          if (answer?.data.success) break
          await delay(50)
        }
        sent.push(data.msgId)
      }
    }),
  )
  return {
    sent,
    async stop() {
      writing = false
      await done
    },
  }
}

const hasAll = (told: ReadonlySet<string>, sent: readonly string[]) => sent.every((msgId) => told.has(msgId))

const nameOf = ({ fromUserId, toUserId }: Fact) => [fromUserId, toUserId].sort().join('-')

/** The times that a conversation's facts came in another order than that of their seqs, each counted when it first came. */
function inversions(taken: readonly { subject: string; fact: Fact }[]): string[] {
  const last = new Map<string, number>()
  const seen = new Set<string>()
  return taken.flatMap(({ subject, fact }) => {
    const of = `${subject} ${nameOf(fact)}`
    if (seen.has(`${of} ${fact.seq}`)) return []
    seen.add(`${of} ${fact.seq}`)
    const before = last.get(of) ?? 0
    last.set(of, Math.max(before, fact.seq))
    return fact.seq < before ? [`${of}: ${fact.seq} behind ${before}`] : []
  })
}

t.test(
  'a webhook that refuses, hangs and dies, and a bridge killed again and again: every fact, in order',
  async (t) => {
    const hook = await webhook(t)
    const bridge = await bridges(t, {
      WEBHOOK_URL: hook.url,
      SUBJECTS: 'im.event.message.stored,im.event.message.offline',
    })
    const moods: Mood[] = ['well', 'well', 'refuses', 'hangs', 'breaks off', 'takes it and says nothing']
    hook.feels(() => moods[pick(moods.length)] as Mood)
    const writing = await writers(6)
    for (let kill = 0; kill < 4; kill++) {
      bridge.start()
      const before = hook.taken.length
      await eventually(() => hook.taken.length > before + 20, 'facts come through')
      await delay(pick(300))
      await bridge.stop('SIGKILL')
    }
    const child = bridge.start()
    await writing.stop()
    hook.feels(() => 'well')
    const told = (what: string) =>
      new Set(hook.taken.filter(({ subject }) => subject === `im.event.message.${what}`).map(({ fact }) => fact.msgId))
    await eventually(
      () => ['stored', 'offline'].every((what) => hasAll(told(what), writing.sent)),
      'every message is told of as stored and as missed',
    )
    t.ok(writing.sent.length > 50)
    t.same(inversions(hook.taken), [])
    t.same(hook.faults, [])
    t.same(await bridge.deadLetters(), [])
    await bridge.stop('SIGTERM')
    t.equal(child.exitCode, 0)
  },
)

t.test('services killed meanwhile: every fact all the same', async (t) => {
  const hook = await webhook(t)
  const bridge = await bridges(t, { WEBHOOK_URL: hook.url, SUBJECTS: 'im.event.message.offline' })
  bridge.start()
  const writing = await writers(6)
  for (const name of ['message-service-1', 'gateway-1', 'message-service-2']) await killAndWait(system, name)
  await writing.stop()
  const told = () => new Set(hook.taken.map(({ fact }) => fact.msgId))
  await eventually(() => hasAll(told(), writing.sent), 'every message is told of as missed', 60_000)
  t.ok(hook.taken.every(({ fact }) => fact.userIds?.join() === fact.toUserId))
})

t.test('what is given up is written down, and what comes behind it goes on', async (t) => {
  const hook = await webhook(t)
  const bridge = await bridges(t, {
    WEBHOOK_URL: hook.url,
    ATTEMPTS: '3',
    START: 'new',
    SUBJECTS: 'im.event.group.created',
  })
  hook.feels(() => 'refuses')
  bridge.start()
  await eventually(() => bridge.lines.some(({ msg }) => msg === 'consuming'), 'it listens')
  const owner = await newPerson()
  const create = async () =>
    (await owner.post('/chat/group!createGroup', { groupName: 'g', memberIds: [] })).data.groupId
  const lost = await create()
  await eventually(async () => (await bridge.deadLetters()).length === 1, 'it is written down')
  const [letter] = await bridge.deadLetters()
  t.match(JSON.parse(letter!), {
    reason: 'status 500',
    attempts: 3,
    subject: 'im.event.group.created',
    fact: { groupId: lost },
  })
  hook.feels(() => 'well')
  const next = await create()
  await eventually(() => hook.taken.length > 0, 'the next one is taken')
  t.match(hook.taken, [{ subject: 'im.event.group.created', fact: { groupId: next } }])
})

t.test('a stop gives back what is in hand, and the next process has it at once', async (t) => {
  const hook = await webhook(t)
  const bridge = await bridges(t, { WEBHOOK_URL: hook.url, SUBJECTS: 'im.event.group.deleted', ACK_WAIT_MS: '60000' })
  hook.feels(() => 'refuses')
  const child = bridge.start()
  const owner = await newPerson()
  const { groupId } = (await owner.post('/chat/group!createGroup', { groupName: 'g', memberIds: [] })).data
  await owner.post('/chat/group!deleteGroup', { groupId })
  await eventually(() => bridge.lines.some(({ reason }) => reason === 'status 500'), 'it is tried')
  await bridge.stop('SIGTERM')
  t.equal(child.exitCode, 0)
  hook.feels(() => 'well')
  bridge.start()
  await eventually(() => hook.taken.length > 0, 'it is taken')
  t.match(hook.taken, [{ fact: { groupId } }])
})

t.test('when somebody removes its place in the stream, it takes a new one and goes on', async (t) => {
  const hook = await webhook(t)
  const settings = { WEBHOOK_URL: hook.url, SUBJECTS: 'im.event.group.updated', CONSUMER: 'removed', START: 'new' }
  const bridge = await bridges(t, settings)
  bridge.start()
  const times = (msg: string) => bridge.lines.filter((line) => line.msg === msg).length
  await eventually(() => times('consuming') === 1, 'it listens')
  const { username, password, host } = new URL(system.system.natsUrl)
  const nats = await connect({ servers: host, user: username, pass: password })
  t.teardown(() => nats.close())
  const removed = (await nats.request('$JS.API.CONSUMER.DELETE.IM_EVENTS.removed')).json<{ success: boolean }>()
  t.ok(removed.success)
  await eventually(() => times('consuming') === 2, 'it listens again')
  const owner = await newPerson()
  const { groupId } = (await owner.post('/chat/group!createGroup', { groupName: 'g', memberIds: [] })).data
  await owner.post('/chat/group!updateGroup', { groupId, notice: 'n' })
  await eventually(() => hook.taken.length > 0, 'it is taken')
  t.match(hook.taken, [{ fact: { groupId } }])
})
