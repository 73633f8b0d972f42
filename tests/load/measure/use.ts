import type { Moment, ProcessUse } from '../result.ts'
import { type ProcessReading, readProcess } from './proc.ts'

/** A server process as the system lists it: another pid under the same name once it is started again. */
export interface NamedProcess {
  name: string
  pid: number
}

interface Tracked {
  reading: ProcessReading | undefined
  cpuMicroseconds: number
  residentMib: ProcessUse['residentMib'] | undefined
}

/**
 * CPU and memory of the system's processes, told apart by name: what a process and those started again after it used
 * is one sum. Of one that is killed, what it used since the last sample is not seen.
 */
export class UseSampler {
  #processes: () => readonly NamedProcess[]
  #read: (pid: number) => ProcessReading | undefined
  #tracked = new Map<string, Tracked>()

  /** Counts from now on. */
  constructor(processes: () => readonly NamedProcess[], read = readProcess) {
    this.#processes = processes
    this.#read = read
    for (const { name, reading } of this.#readAll()) {
      this.#tracked.set(name, { reading, cpuMicroseconds: 0, residentMib: rangeOf(mib(reading)) })
    }
  }

  /** What was used in the `seconds` since the sample before; a process that is not there has no entry. */
  sample(seconds: number): Pick<Moment, 'cpu' | 'residentMib'> {
    const cpu: Record<string, number> = {}
    const residentMib: Record<string, number> = {}
    for (const { name, reading } of this.#readAll()) {
      const used = this.#add(name, reading)
      cpu[name] = round(used / 1_000_000 / seconds, 3)
      residentMib[name] = mib(reading)
    }
    return { cpu, residentMib }
  }

  /** Everything up to the last sample. */
  uses(delivered: number): ProcessUse[] {
    return Array.from(this.#tracked, ([name, { cpuMicroseconds, residentMib }]) => ({
      name,
      cpuSeconds: round(cpuMicroseconds / 1_000_000, 2),
      ...(delivered > 0 ? { cpuMicrosPerDelivered: round(cpuMicroseconds / delivered, 1) } : {}),
      residentMib: residentMib ?? { first: 0, last: 0, most: 0 },
    }))
  }

  #readAll(): { name: string; reading: ProcessReading }[] {
    return this.#processes().flatMap(({ name, pid }) => {
      const reading = pid > 0 ? this.#read(pid) : undefined
      return reading === undefined ? [] : [{ name, reading }]
    })
  }

  #add(name: string, reading: ProcessReading): number {
    const tracked = this.#tracked.get(name) ?? { reading: undefined, cpuMicroseconds: 0, residentMib: undefined }
    this.#tracked.set(name, tracked)
    // A process we have not seen was started since, and all it used counts.
    const same = tracked.reading?.startedAt === reading.startedAt
    const used = reading.cpuMicroseconds - (same ? (tracked.reading?.cpuMicroseconds ?? 0) : 0)
    const resident = mib(reading)
    tracked.reading = reading
    tracked.cpuMicroseconds += used
    tracked.residentMib ??= rangeOf(resident)
    tracked.residentMib.last = resident
    tracked.residentMib.most = Math.max(tracked.residentMib.most, resident)
    return used
  }
}

function rangeOf(resident: number): ProcessUse['residentMib'] {
  return { first: resident, last: resident, most: resident }
}

function mib({ residentKib }: ProcessReading): number {
  return round(residentKib / 1_024, 1)
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
