import type { System } from '@qunxin/devstack'
import type { FaultEvent } from '../result.ts'
import { Course } from './course.ts'
import { type Draw, drawFrom } from './draw.ts'
import { runLinkFault } from './link-faults.ts'
import type { Links } from './links.ts'
import { runProcessFault, runScaleFault } from './process-faults.ts'
import { type Fault, parseFault } from './spec.ts'

export { Links } from './links.ts'
export { endsByItself, parseFault, SPEC_HELP } from './spec.ts'

/** What faults are done to: a system this process started, and the proxies before its links. */
export interface FaultTarget {
  /** Undefined for one that somebody else started: its processes are not ours to end. */
  system?: System | undefined
  links?: Links | undefined
}

export interface Faults {
  /** Ends what is under way in order: paused processes go on, links are mended. */
  stop(): Promise<void>
  /** Resolves when all faults with a count have been; those without go on until `stop`. Rejects when a process did not come back. */
  done: Promise<void>
}

/**
 * Does to the system what the specs say, at moments and to targets drawn from the seed.
 *
 * @throws TypeError when a spec is none, or needs a system that was started by this process
 */
export function startFaults(options: {
  specs: readonly string[]
  seed: number
  target: FaultTarget
  onEvent(event: FaultEvent): void
}): Faults {
  const { target, seed } = options
  const faults = options.specs.map(parseFault)
  const { system, links } = target
  if (system === undefined && faults.length > 0)
    throw new TypeError('Faults are done to a system that this command starts itself, not to one it joins.')
  if (links === undefined && faults.some((fault) => fault.kind === 'net'))
    throw new TypeError('Faults of the network need proxies, which are put up before the system starts.')
  const course = new Course(options.onEvent)
  const running = faults.map((fault, index) =>
    run(fault, { system: system as System, links, course, draw: drawFrom(seed, index) }),
  )
  const done = Promise.all(running).then(() => {})
  // Whoever waits hears of it; who does not must not be ended by it.
  done.catch(() => {})
  return {
    done,
    async stop() {
      course.end()
      await done
    },
  }
}

function run(
  fault: Fault,
  { system, links, course, draw }: { system: System; links: Links | undefined; course: Course; draw: Draw },
): Promise<void> {
  if (fault.kind === 'scale') return runScaleFault(fault, system, draw, course)
  if (fault.kind === 'net') return runLinkFault(fault, links as Links, draw, course)
  return runProcessFault(fault, system, draw, course)
}
