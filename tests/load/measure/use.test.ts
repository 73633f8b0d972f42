import t from 'tap'
import type { ProcessReading } from './proc.ts'
import { type NamedProcess, UseSampler } from './use.ts'

interface Machine {
  processes: NamedProcess[]
  readings: Map<number, ProcessReading>
}

function reading(cpuSeconds: number, mib: number, startedAt: number): ProcessReading {
  return { cpuMicroseconds: cpuSeconds * 1_000_000, residentKib: mib * 1_024, startedAt }
}

function sampled(machine: Machine): UseSampler {
  return new UseSampler(
    () => machine.processes,
    (pid) => machine.readings.get(pid),
  )
}

t.test('what was used before the begin does not count, and shares are of the time between samples', async (t) => {
  const machine: Machine = {
    processes: [{ name: 'gateway-1', pid: 1 }],
    readings: new Map([[1, reading(100, 50, 7)]]),
  }
  const sampler = sampled(machine)
  machine.readings.set(1, reading(101, 80, 7))
  t.strictSame(sampler.sample(2), { cpu: { 'gateway-1': 0.5 }, residentMib: { 'gateway-1': 80 } })
  machine.readings.set(1, reading(101.25, 60, 7))
  t.strictSame(sampler.sample(1).cpu, { 'gateway-1': 0.25 })
  t.strictSame(sampler.uses(1_000), [
    {
      name: 'gateway-1',
      cpuSeconds: 1.25,
      cpuMicrosPerDelivered: 1_250,
      residentMib: { first: 50, last: 60, most: 80 },
    },
  ])
})

t.test('a process started again under the same name is added up, under a new pid or an old one', async (t) => {
  const machine: Machine = {
    processes: [{ name: 'message-service-1', pid: 10 }],
    readings: new Map([[10, reading(5, 100, 1)]]),
  }
  const sampler = sampled(machine)
  machine.readings.set(10, reading(6, 120, 1))
  sampler.sample(1)
  machine.readings.delete(10)
  t.strictSame(sampler.sample(1), { cpu: {}, residentMib: {} }, 'nothing while it is away')
  machine.processes = [{ name: 'message-service-1', pid: 20 }]
  machine.readings.set(20, reading(0.5, 70, 2))
  t.strictSame(sampler.sample(1).cpu, { 'message-service-1': 0.5 })
  machine.readings.set(20, reading(0.25, 40, 3))
  t.strictSame(sampler.sample(1).cpu, { 'message-service-1': 0.25 }, 'its first moments count from nothing')
  t.match(sampler.uses(0), [{ cpuSeconds: 1.75, residentMib: { first: 100, last: 40, most: 120 } }])
})

t.test('a process that joins is measured from its start, one that leaves keeps what it used', async (t) => {
  const machine: Machine = { processes: [{ name: 'a', pid: 1 }], readings: new Map([[1, reading(1, 10, 1)]]) }
  const sampler = sampled(machine)
  machine.processes.push({ name: 'b', pid: 2 })
  machine.readings.set(2, reading(3, 30, 9)).set(1, reading(2, 10, 1))
  sampler.sample(1)
  machine.processes.shift()
  sampler.sample(1)
  t.strictSame(
    sampler.uses(0).map(({ name, cpuSeconds }) => [name, cpuSeconds]),
    [
      ['a', 1],
      ['b', 3],
    ],
  )
})

t.test('a server that others started is left out', async (t) => {
  const sampler = sampled({ processes: [{ name: 'mongod', pid: 0 }], readings: new Map([[0, reading(1, 1, 1)]]) })
  t.strictSame(sampler.sample(1), { cpu: {}, residentMib: {} })
  t.strictSame(sampler.uses(1), [])
})

t.test('nothing delivered means no figure per delivered message', async (t) => {
  const sampler = sampled({ processes: [{ name: 'a', pid: 1 }], readings: new Map([[1, reading(1, 1, 1)]]) })
  t.notOk('cpuMicrosPerDelivered' in sampler.uses(0)[0]!)
})
