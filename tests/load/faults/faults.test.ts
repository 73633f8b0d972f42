import type { ProcessHandle, System } from '@qunxin/devstack'
import t from 'tap'
import type { FaultEvent } from '../result.ts'
import { drawFrom } from './draw.ts'
import { Links, parseFault, startFaults } from './index.ts'
import { SERVICES } from './spec.ts'

/** Writes down what is done to its processes, and has it done at once. */
function recordingSystem(names: string[]) {
  const done: string[] = []
  const processes = [...names]
  const handle = (name: string): ProcessHandle => ({
    name,
    pid: 1,
    kill: async () => void done.push(`kill ${name}`),
    pause: () => void done.push(`pause ${name}`),
    resume: () => void done.push(`resume ${name}`),
    restart: async () => {
      done.push(`restart ${name}`)
      return { code: 0, signal: null, drainMs: 2, readyMs: 3 }
    },
  })
  const system = {
    get processes() {
      return processes.map((name) => ({ name, pid: 1 }))
    },
    process: handle,
    add: async (kind: string) => {
      const name = `${kind}-${processes.length + 1}`
      processes.push(name)
      done.push(`add ${name}`)
      return name
    },
    remove: async (name: string) => {
      processes.splice(processes.indexOf(name), 1)
      done.push(`remove ${name}`)
      return { code: 0, signal: null, drainMs: 2 }
    },
  }
  return { done, system: system as unknown as System }
}

const PROCESSES = ['gateway-1', 'gateway-2', 'group-service-1', 'message-service-1', 'message-service-2', 'mongod']

async function run(specs: string[], seed = 7) {
  const { done, system } = recordingSystem(PROCESSES)
  const events: FaultEvent[] = []
  await startFaults({ specs, seed, target: { system }, onEvent: (event) => events.push(event) }).done
  return { done, events }
}

t.test('the same seed does the same again, another one something else', async (t) => {
  const specs = ['kill:services:every=1ms:count=8']
  const [first, again, other] = [await run(specs), await run(specs), await run(specs, 8)]
  t.equal(first.done.length, 8)
  t.same(again.done, first.done)
  t.notSame(other.done, first.done)
  t.ok(new Set(first.done).size > 2, 'not always to the same')
})

t.test('in turn, services come before the servers they need', async (t) => {
  const { done, events } = await run(['restart:all:each:every=1ms'])
  t.same(
    done,
    ['gateway-1', 'gateway-2', 'message-service-1', 'message-service-2', 'group-service-1', 'mongod'].map(
      (name) => `restart ${name}`,
    ),
  )
  t.match(events.at(-1), { target: 'mongod', ended: { code: 0, drainMs: 2, readyMs: 3 } })
})

t.test('scaling brings the newest and takes the oldest', async (t) => {
  const { done } = await run(['scale:message-service:1,3,1:every=1ms'])
  t.same(done, [
    'remove message-service-1',
    'add message-service-6',
    'add message-service-7',
    'remove message-service-2',
    'remove message-service-6',
  ])
})

t.test('a process that stands still when the run ends goes on, and nothing new begins', async (t) => {
  const { done, system } = recordingSystem(PROCESSES)
  const paused = Promise.withResolvers<void>()
  const faults = startFaults({
    specs: ['stop:mongod:every=1ms:for=1000s', 'kill:services:every=1000s'],
    seed: 1,
    target: { system },
    onEvent: ({ what }) => what.includes('-STOP') && paused.resolve(),
  })
  await paused.promise
  await faults.stop()
  t.same(done, ['pause mongod', 'resume mongod'])
})

t.test('a process that does not come back fails whoever waits for the faults', async (t) => {
  const { system } = recordingSystem(PROCESSES)
  const kill = async () => {
    throw new Error('gateway-1 did not come back')
  }
  const broken = {
    ...system,
    processes: system.processes,
    process: (name: string) => ({ ...system.process(name), kill }),
  }
  const specs = ['kill:gateway-1:every=1ms']
  const faults = startFaults({ specs, seed: 1, target: { system: broken as System }, onEvent: () => {} })
  await t.rejects(faults.done, /did not come back/)
})

t.test('what cannot be done is said before anything is', async (t) => {
  const onEvent = () => {}
  t.throws(() => startFaults({ specs: ['kill:gateway'], seed: 1, target: {}, onEvent }), /starts itself/)
  const { system } = recordingSystem(PROCESSES)
  t.throws(() => startFaults({ specs: ['net:gateway-nats:cut:both'], seed: 1, target: { system }, onEvent }), /proxies/)
  t.throws(() => startFaults({ specs: ['boom'], seed: 1, target: { system }, onEvent }), /is none/)
})

t.test('draws are spread, and each stream has its own', async (t) => {
  const draw = drawFrom(42)
  const counts = [0, 0, 0, 0]
  for (let i = 0; i < 4_000; i += 1) counts[Math.floor(draw.next() * 4)]! += 1
  t.ok(
    counts.every((count) => count > 900 && count < 1_100),
    counts.join(', '),
  )
  t.not(drawFrom(42, 1).next(), drawFrom(42, 2).next())
  t.throws(() => draw.of([]), /nothing to draw from/)
})

t.test('of several links and impairments, each comes once before one comes twice', async (t) => {
  const { system } = recordingSystem(PROCESSES)
  const links = new Links([parseFault('net:any:any:any')], 1)
  const planned = {
    NATS_URL: 'nats://127.0.0.1:1',
    MONGO_URL: 'mongodb://127.0.0.1:1',
    REDIS_URL: 'redis://127.0.0.1:1',
  }
  t.teardown(() => links.stop())
  for (const kind of SERVICES) await links.serviceEnvOf({ kind, name: `${kind}-1` }, planned)
  await links.clientUrl({ name: 'gateway-1', url: 'http://127.0.0.1:1' })
  const begun: string[] = []
  const onEvent = ({ what }: FaultEvent) => void (what.startsWith('mended') || begun.push(what))
  const specs = ['net:any:any:any:every=1ms:for=1ms:count=96']
  await startFaults({ specs, seed: 3, target: { system, links }, onEvent }).done
  t.equal(new Set(begun).size, 96, '8 links, 4 impairments, 3 directions')
})
