import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { errors } from '@qunxin/contracts'
import { MongoClient } from 'mongodb'
import t from 'tap'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import type { RawSocket } from '../raw-socket.ts'
import { testSystem } from '../system.ts'
import { isReady } from './processes.ts'

const GATEWAYS = 3
/** Of each gateway: together they may have more without an answer than the gateway holds. */
const WRITERS = 24
const PAUSE_MS = 10_000
/** The limit of a send, and what a busy machine may add. */
const ANSWERED_WITHIN_MS = 5_000 + 5_000
/** Less than the default, so that a flood from one slow machine is above it, too. */
const SENDS_LIMIT_BYTES = 4 * 1024 * 1024
/**
 * A gateway holds the sends about three times, 16 MiB that NATS does not take, and what it has read and refused until the
 * garbage is collected; a message-service 64 MiB for each of two lanes at the most, of which the gateways send it 12.
 */
const MAY_GROW_BYTES = 300 * 1024 * 1024
const MIB = 1024 * 1024

const system = await testSystem(t, {
  ownServers: true,
  gateways: GATEWAYS,
  messageServices: 2,
  serviceEnv: { SENDS_LIMIT_BYTES: String(SENDS_LIMIT_BYTES) },
})
const newPerson = people(t, system)
const services = () => system.system.processes.filter(({ opsUrl, pid }) => opsUrl !== undefined && pid !== 0)
const mongo = new MongoClient(system.system.devstack.mongoUrl)
t.teardown(() => mongo.close())

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)?.[1]) * 1024
}

/** The most memory each process has been seen with since the last look. */
function watchMemory() {
  const most = new Map<string, number>()
  const look = async () => {
    for (const { name, pid } of services()) most.set(name, Math.max(most.get(name) ?? 0, await residentBytes(pid)))
  }
  const timer = setInterval(() => void look().catch(() => {}), 250)
  t.teardown(() => clearInterval(timer))
  return {
    async takeMost(): Promise<Map<string, number>> {
      await look()
      const taken = new Map(most)
      most.clear()
      return taken
    },
  }
}

interface Flood {
  /** When each send without an answer went out, by msgId. */
  unanswered: Map<string, number>
  acknowledged: string[]
  /** Of the refusals, by number. */
  refused: Map<number, number>
  longestMs: number
  withoutInfo: number
  stop(): Promise<void>
}

/** Everybody sends long texts into conversations of their own, half of them longer than any may be, as fast as they are read. */
function flood(writers: readonly { socket: RawSocket; peer: number }[]): Flood {
  const texts = ['群'.repeat(5_000), 'x'.repeat(60_000)]
  const state: Flood = {
    unanswered: new Map(),
    acknowledged: [],
    refused: new Map(),
    longestMs: 0,
    withoutInfo: 0,
    stop: async () => {
      clearInterval(timer)
      await eventually(() => state.unanswered.size === 0, 'every send is answered')
      for (const [index, { socket }] of writers.entries()) socket.socket.off('message', listeners[index] as () => void)
    },
  }
  const listeners = writers.map(({ socket }) => {
    const listen = (frame: Buffer) => {
      const { tag, data } = JSON.parse(String(frame))
      if (tag !== 'messageAck') return
      state.longestMs = Math.max(state.longestMs, performance.now() - (state.unanswered.get(data.msgId) ?? Infinity))
      state.unanswered.delete(data.msgId)
      if (data.code === undefined) state.acknowledged.push(data.msgId)
      else state.refused.set(data.code, (state.refused.get(data.code) ?? 0) + 1)
      if (data.code !== undefined && typeof data.info !== 'string') state.withoutInfo += 1
    }
    socket.socket.on('message', listen)
    return listen
  })
  const timer = setInterval(() => {
    for (const [index, { socket, peer }] of writers.entries()) {
      if (socket.socket.bufferedAmount > MIB) continue
      for (let i = 0; i < 4; i++) {
        const msgId = randomUUID()
        state.unanswered.set(msgId, performance.now())
        const contentStr = texts[(index + i) % 2]
        socket.send('message', { toUserId: peer, msgContentType: '1', sessionId: '', contentStr, msgId })
      }
    }
  }, 250)
  return state
}

t.test('while MongoDB and then NATS stand still a flood is answered in time and held within bounds', async (t) => {
  const writers = await Promise.all(
    Array.from({ length: GATEWAYS * WRITERS }, async (_, i) => {
      const [one, other] = [await newPerson(), await newPerson()]
      return { socket: await one.socket({ gateway: i % GATEWAYS, sync: true }), peer: other.number }
    }),
  )
  const memory = watchMemory()
  const warm = flood(writers)
  await eventually(() => warm.acknowledged.length > 500, 'the system is warm')
  await warm.stop()
  const before = await memory.takeMost()
  const acknowledged = [...warm.acknowledged]

  for (const server of ['mongod', 'nats-server']) {
    const pid = system.pid(server)
    const flooding = flood(writers)
    process.kill(pid, 'SIGSTOP')
    // The very time is the fault: it is longer than any send may wait.
    await delay(PAUSE_MS)
    process.kill(pid, 'SIGCONT')
    await flooding.stop()
    acknowledged.push(...flooding.acknowledged)
    const seconds = Math.round(flooding.longestMs / 100) / 10
    t.ok(flooding.longestMs <= ANSWERED_WITHIN_MS, `${server}: the slowest answer took ${seconds} s`)
    const codes = [errors.TIMEOUT, errors.UNAVAILABLE, errors.RATE_LIMITED, errors.MESSAGE_TOO_LONG].map(
      ({ number }) => number,
    )
    t.same(
      [...flooding.refused.keys()].filter((code) => !codes.includes(code as never)),
      [],
      `${server}: the codes`,
    )
    const overloaded = flooding.refused.get(errors.UNAVAILABLE.number) ?? 0
    t.ok(overloaded > 0, `${server}: ${overloaded} were refused at once`)
    t.equal(flooding.withoutInfo, 0, `${server}: and said why`)
    for (const [name, bytes] of await memory.takeMost()) {
      const grown = bytes - (before.get(name) ?? 0)
      t.ok(grown <= MAY_GROW_BYTES, `${server}: ${name} grew by ${Math.round(grown / MIB)} MiB`)
    }
    await eventually(
      async () => (await Promise.all(services().map(({ opsUrl }) => isReady(opsUrl as string)))).every(Boolean),
      'every service takes work again',
    )
  }

  const stored = new Map<string, number>()
  const messages = mongo
    .db('qunxin')
    .collection('messages')
    .find({}, { projection: { msgId: 1 } })
  for await (const { msgId } of messages) stored.set(msgId, (stored.get(msgId) ?? 0) + 1)
  t.same(
    acknowledged.filter((msgId) => stored.get(msgId) !== 1),
    [],
    `all of ${acknowledged.length} that were acknowledged are there, once`,
  )
  const [one, two] = [await newPerson(), await newPerson()]
  const [sender, receiver] = [await one.client(), await two.socket({ gateway: 1 })]
  await sender.send({ to: two.id, text: 'afterwards' })
  t.match(await receiver.next('message'), { contentStr: 'afterwards', seq: 1 })
})

t.test('a client that does not read is closed 4008, and those beside it get everything in order', async (t) => {
  const [owner, slow, ...fast] = await Promise.all(Array.from({ length: 5 }, () => newPerson()))
  if (!owner || !slow) return t.fail('nobody is there')
  const sender = await owner.client()
  const { groupId } = await sender.call<{ groupId: string }>('createGroup', {
    groupName: '慢',
    memberIds: [owner, slow, ...fast].map(({ number }) => number),
  })
  const lagging = await slow.socket({ gateway: 1, sync: true })
  const reading = await Promise.all(fast.map((one) => one.socket({ gateway: 1, sync: true })))
  const gateway = system.system.processes.find(({ name }) => name === 'gateway-2')
  const connections = async () => {
    const metrics = await (await fetch(`${gateway?.opsUrl}/metrics`)).text()
    return Number(metrics.match(/^qunxin_gateway_connections\{.*\} (\d+)$/m)?.[1])
  }
  const open = await connections()
  lagging.socket.pause()
  const sent: string[] = []
  const send = (i: number) => {
    const text = `${i} ${'群'.repeat(4_900)}`
    sent.push(text)
    return sender.send({ group: groupId, text })
  }
  for (let i = 0; (await connections()) === open; i += 20)
    await Promise.all(Array.from({ length: 20 }, (_, k) => send(i + k)))
  lagging.socket.resume()
  t.equal((await lagging.closed).code, 4008)
  for (const socket of reading) {
    await eventually(() => socket.texts.length >= sent.length, 'the fast ones have everything')
    t.same(socket.texts, sent)
  }
  const back = await slow.socket({ gateway: 1 })
  await sender.send({ group: groupId, text: 'and on' })
  await back.next('message', ({ contentStr }) => contentStr === 'and on')
})
