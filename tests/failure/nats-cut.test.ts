import { setTimeout as delay } from 'node:timers/promises'
import type { ChatClient } from '@qunxin/client'
import { startTcpProxy, type TcpProxy } from '@qunxin/devstack/tcp-proxy'
import t, { type Test } from 'tap'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import type { RawSocket } from '../raw-socket.ts'
import { testSystem } from '../system.ts'
import { killAndWait } from './processes.ts'

const PAIRS = 12
/** Whose first message is sent while NATS is away: their receivers have no position in the conversation. */
const STRANGERS = 30
const PER_SECOND = 300
const CUT_MS = 1_000

/** One user writes by the SDK, which sends again; the other is connected to the other gateway, and knows only the seeds. */
interface Pair {
  name: string
  sender: ChatClient
  to: string
  receiver: RawSocket
  /** By seq. */
  acknowledged: Map<number, string>
  sent: number
}

const proxies = new Map<string, TcpProxy>()
const system = await testSystem(t, {
  ownServers: true,
  messageServices: 2,
  restartWithinMs: 500,
  async serviceEnvOf({ kind, name }, { NATS_URL }) {
    if (kind === 'group-service') return {}
    const proxy = await startTcpProxy(NATS_URL ?? '')
    t.teardown(() => proxy.stop())
    proxies.set(name, proxy)
    return { NATS_URL: proxy.url }
  },
})
const newPerson = people(t, system)

async function newPair(name: string, gateway: number): Promise<Pair> {
  const [one, two] = [await newPerson(), await newPerson()]
  const sender = await one.client({ gateway, sync: true, sendTimeoutMs: 120_000 })
  const receiver = await two.socket({ gateway: gateway + 1 })
  return { name, sender, to: two.id, receiver, acknowledged: new Map(), sent: 0 }
}

async function send(pair: Pair): Promise<void> {
  const text = `${pair.name}-${pair.sent++}`
  const { seq } = await pair.sender.send({ to: pair.to, text })
  pair.acknowledged.set(seq, text)
}

/** Open loop, round the pairs, whatever becomes of the sends before. */
function startTraffic(pairs: readonly Pair[]) {
  const outcomes: Promise<void>[] = []
  let stopped = false
  const loop = async () => {
    const started = performance.now()
    for (let sent = 0; !stopped; await delay(20)) {
      const due = ((performance.now() - started) / 1_000) * PER_SECOND
      for (; sent < due; sent++) outcomes.push(send(pairs[sent % pairs.length] as Pair))
    }
  }
  const looping = loop()
  return {
    async stop() {
      stopped = true
      await looping
      await Promise.all(outcomes)
    },
  }
}

const pairs = await Promise.all(Array.from({ length: PAIRS }, (_, i) => newPair(`pair${i}`, i)))
const acknowledged = () => pairs.reduce((sum, pair) => sum + pair.acknowledged.size, 0)

/** Traffic before, during and after; strangers write only while it is wrong. Resolves when everything is acknowledged. */
async function under(fault: { begin(): void | Promise<void>; end(): void | Promise<void> }): Promise<Pair[]> {
  const strangers = await Promise.all(Array.from({ length: STRANGERS }, (_, i) => newPair(`stranger${i}`, i)))
  const before = acknowledged()
  const traffic = startTraffic(pairs)
  await eventually(() => acknowledged() > before + PER_SECOND / 2, 'it works before')
  const begun = fault.begin()
  const first: Promise<void>[] = []
  for (const stranger of strangers) {
    first.push(send(stranger), send(stranger))
    await delay(CUT_MS / STRANGERS)
  }
  await begun
  await fault.end()
  const since = acknowledged()
  await eventually(() => acknowledged() > since + PER_SECOND, 'it works again')
  await Promise.all([traffic.stop(), ...first, ...strangers.map(send)])
  return [...pairs, ...strangers]
}

async function check(t: Test, all: readonly Pair[]): Promise<void> {
  for (const { name, receiver, acknowledged } of all) {
    const shown = () => receiver.frames.flatMap(({ tag, data }) => (tag === 'message' ? [data] : []))
    const missing = () => {
      const seqs = new Set(shown().map(({ seq }) => seq))
      return [...acknowledged.keys()].filter((seq) => !seqs.has(seq))
    }
    await eventually(() => missing().length === 0, `${name} is shown everything`).catch(() => {})
    t.same(missing(), [], `${name} was shown everything that was acknowledged`)
    const seqs = shown().map(({ seq }) => seq)
    const wrong = seqs.filter((seq, i) => i > 0 && seq <= seqs[i - 1])
    t.same(wrong, [], `${name} was shown everything once and in order`)
    const other = shown().filter(({ seq, contentStr }) => (acknowledged.get(seq) ?? contentStr) !== contentStr)
    t.same(other, [], `${name} was shown what was acknowledged`)
  }
}

const of = (kind: string) => [...proxies].flatMap(([name, proxy]) => (name.startsWith(kind) ? [proxy] : []))
const cut = (...cutOff: TcpProxy[]) => ({
  begin() {
    for (const proxy of cutOff) proxy.cut()
  },
  end() {
    for (const proxy of cutOff) proxy.mend()
  },
})

t.test('the gateways are cut off from NATS for a second', async (t) => {
  await check(t, await under(cut(...of('gateway'))))
})

t.test('one message-service is cut off from NATS for a second', async (t) => {
  await check(t, await under(cut(of('message')[0] as TcpProxy)))
})

t.test('everybody is cut off from NATS for a second', async (t) => {
  await check(t, await under(cut(...proxies.values())))
})

t.test('a gateway and a message-service are not told that NATS is away, and what they say is lost', async (t) => {
  const swallowed = [of('gateway')[1], of('message')[1]] as TcpProxy[]
  await check(
    t,
    await under({
      begin() {
        for (const proxy of swallowed) proxy.impair({ kind: 'blackhole' })
      },
      async end() {
        // What was swallowed never arrives.
        cut(...swallowed).begin()
        await delay(50)
        cut(...swallowed).end()
      },
    }),
  )
})

t.test('nats-server is killed and started again', async (t) => {
  await check(t, await under({ begin: () => killAndWait(system, 'nats-server'), end() {} }))
})

t.test('a gateway is killed: nothing acknowledged stays unseen by who comes back elsewhere', async (t) => {
  const onDying = pairs.filter((_, i) => i % 2 === 0)
  const numbers = onDying.map(({ acknowledged }) => acknowledged.size)
  const before = acknowledged()
  const traffic = startTraffic(onDying)
  await eventually(() => acknowledged() > before + PER_SECOND / 2, 'it works before')
  process.kill(system.pid('gateway-2'), 'SIGKILL')
  const since = acknowledged()
  await eventually(() => acknowledged() > since + PER_SECOND / 2, 'the senders go on')
  const back = await Promise.all(onDying.map(({ to }) => newPerson(to).then((person) => person.socket({ gateway: 0 }))))
  await traffic.stop()
  for (const [i, { name, receiver, acknowledged }] of onDying.entries()) {
    t.ok(acknowledged.size > (numbers[i] ?? 0))
    const shown = (socket: RawSocket | undefined) =>
      socket?.frames.flatMap(({ tag, data }) => (tag === 'message' ? [data.seq] : [])) ?? []
    const unseen = () => {
      const seen = new Set([...shown(receiver), ...shown(back[i])])
      return [...acknowledged.keys()].filter((seq) => !seen.has(seq))
    }
    await eventually(() => unseen().length === 0, `${name} has seen everything`).catch(() => {})
    t.same(unseen(), [], `${name} has seen everything, over both connections`)
    const seqs = shown(back[i])
    t.ok(
      seqs.every((seq, at) => at === 0 || seq > seqs[at - 1]),
      `${name} is shown everything once and in order after it came back`,
    )
  }
})
