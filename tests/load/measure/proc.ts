import { readFileSync } from 'node:fs'

/** Linux counts processor time in hundredths of a second. */
export const TICKS_PER_SECOND = 100

export interface ProcessReading {
  /** Of all its threads, since it was started. */
  cpuMicroseconds: number
  residentKib: number
  /** In ticks since the machine started: tells a process from a later one with the same pid. */
  startedAt: number
}

/** What the kernel says of a process; undefined when it has ended. */
export function readProcess(pid: number): ProcessReading | undefined {
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    const residentKib = parseResidentKib(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return stat.ended || residentKib === undefined ? undefined : { ...stat, residentKib }
  } catch (error) {
    // ESRCH: it ended between opening and reading.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** Reads a /proc/<pid>/stat; `ended` when it only waits for its parent to take notice. */
export function parseStat(stat: string): { cpuMicroseconds: number; startedAt: number; ended: boolean } {
  // The program's name stands in parentheses and may contain anything, spaces and parentheses too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [userTicks, systemTicks, startedAt] = [fields[11], fields[12], fields[19]].map(Number) as [
    number,
    number,
    number,
  ]
  return {
    cpuMicroseconds: ((userTicks + systemTicks) * 1_000_000) / TICKS_PER_SECOND,
    startedAt,
    ended: fields[0] === 'Z' || fields[0] === 'X',
  }
}

/** Reads a /proc/<pid>/status; a process that has ended has no memory. */
export function parseResidentKib(status: string): number | undefined {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(status)
  return found === null ? undefined : Number(found[1])
}

/** Processor time of a process so far, in microseconds. */
export function cpuMicroseconds(pid: number): number {
  return readProcess(pid)?.cpuMicroseconds ?? 0
}

/** Resident memory of a process in KiB. */
export function residentKib(pid: number): number {
  return readProcess(pid)?.residentKib ?? 0
}
