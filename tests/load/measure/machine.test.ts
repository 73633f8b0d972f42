import t from 'tap'
import type { ProcessUse } from '../result.ts'
import { type MachineReading, MachineUse, parseBusySeconds } from './machine.ts'

const server: ProcessUse = { name: 'a', cpuSeconds: 4, residentMib: { first: 1, last: 1, most: 1 } }

function used(readings: MachineReading[]): MachineUse {
  return new MachineUse(() => readings.shift() as MachineReading)
}

t.test('what neither this process nor a server used was used elsewhere', async (t) => {
  const machine = used([
    { busySeconds: 100, ownSeconds: 7 },
    { busySeconds: 120, ownSeconds: 13 },
  ])
  t.strictSame(machine.since({ seconds: 10, delivered: 1_000, uses: [server, server] }), {
    generator: { cpuSeconds: 6, cpuMicrosPerDelivered: 6_000 },
    coresElsewhere: 0.6,
  })
})

t.test('clocks that disagree make nothing less than nothing, and nothing delivered no figure', async (t) => {
  const same = { busySeconds: 100, ownSeconds: 7 }
  t.strictSame(used([same, same]).since({ seconds: 1, delivered: 0, uses: [server] }), {
    generator: { cpuSeconds: 0 },
    coresElsewhere: 0,
  })
})

t.test('a core that waits is not busy; what the host keeps for others is', async (t) => {
  t.equal(parseBusySeconds('cpu  100 20 30 9000 800 4 5 6 7 8\ncpu0 1 1 1 1 1 1 1 1 0 0\n'), 1.65)
})

t.test('this machine can be read', async (t) => {
  const machine = new MachineUse()
  const until = performance.now() + 50
  while (performance.now() < until);
  const { generator } = machine.since({ seconds: 0.05, delivered: 0, uses: [] })
  t.ok(generator.cpuSeconds > 0)
})
