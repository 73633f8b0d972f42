import { cpus } from 'node:os'
import type { GeneratorUse, ProcessUse } from '../result.ts'

export interface MachineReading {
  /** Of all processes, in seconds; what the kernel does for none of them is left out. */
  busySeconds: number
  ownSeconds: number
}

/** What this process used, and what everything used that is neither this process nor a server of the run. */
export class MachineUse {
  readonly #read: () => MachineReading
  readonly #first: MachineReading

  /** Counts from now on. */
  constructor(read = readMachine) {
    this.#read = read
    this.#first = read()
  }

  /** What was used in the `seconds` since; `uses` are those of the servers. */
  since({ seconds, delivered, uses }: { seconds: number; delivered: number; uses: readonly ProcessUse[] }): {
    generator: GeneratorUse
    coresElsewhere: number
  } {
    const { busySeconds, ownSeconds } = this.#read()
    const own = ownSeconds - this.#first.ownSeconds
    const servers = uses.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
    const elsewhere = busySeconds - this.#first.busySeconds - own - servers
    return {
      generator: {
        cpuSeconds: Number(own.toFixed(2)),
        ...(delivered > 0 && { cpuMicrosPerDelivered: Number(((1_000_000 * own) / delivered).toFixed(1)) }),
      },
      // Clocks that tick in hundredths of a second may disagree a little.
      coresElsewhere: seconds > 0 ? Math.max(0, Number((elsewhere / seconds).toFixed(2))) : 0,
    }
  }
}

function readMachine(): MachineReading {
  const { user, system } = process.cpuUsage()
  const busyMs = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys, 0)
  return { busySeconds: busyMs / 1_000, ownSeconds: (user + system) / 1_000_000 }
}
