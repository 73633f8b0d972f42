import { readFileSync } from 'node:fs'
import type { GeneratorUse, ProcessUse } from '../result.ts'
import { TICKS_PER_SECOND } from './proc.ts'

export interface MachineReading {
  /** Of all cores, in seconds, with what the host of a virtual machine keeps for others. */
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
  return { busySeconds: parseBusySeconds(readFileSync('/proc/stat', 'utf8')), ownSeconds: (user + system) / 1_000_000 }
}

/** Reads a /proc/stat: everything of its first line but the fourth and fifth number, idle and waiting for a disk. */
export function parseBusySeconds(stat: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, stolen = 0] = (stat.split('\n', 1)[0] ?? '')
    .split(/ +/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softIrq + stolen) / TICKS_PER_SECOND
}
