import type { System } from '@qunxin/devstack'
import type { Course } from './course.ts'
import type { Draw } from './draw.ts'
import { type ProcessFault, type ScaleFault, SERVERS, SERVICES } from './spec.ts'

/** Kills, stops or restarts processes, one at a time: the next is taken when the one before works again. */
export async function runProcessFault(fault: ProcessFault, system: System, draw: Draw, course: Course): Promise<void> {
  const turns = namesOf(system, fault.who)
  const count = fault.count ?? (fault.each && fault.kind === 'restart' ? turns.length : Number.POSITIVE_INFINITY)
  for (let done = 0; done < count; done += 1) {
    await course.pause(draw.between(0.5, 1.5) * fault.everyMs)
    if (course.over) return
    const names = fault.each ? turns : namesOf(system, fault.who)
    const name = fault.each ? (names[done % names.length] as string) : draw.of(names)
    await strike(fault, { system, name, course })
  }
}

async function strike(
  { kind, forMs }: ProcessFault,
  { system, name, course }: { system: System; name: string; course: Course },
): Promise<void> {
  const target = system.process(name)
  const { pid } = target
  if (kind === 'kill') {
    course.say({ what: `kill -9 ${name} (pid ${pid})`, target: name })
    const since = performance.now()
    await target.kill()
    const what = `${name} takes work again after ${Math.round(performance.now() - since)} ms`
    course.say({ what, target: name, over: true })
  } else if (kind === 'stop') {
    course.say({ what: `kill -STOP ${name} (pid ${pid}) for ${forMs / 1_000} s`, target: name })
    target.pause()
    await course.pause(forMs)
    target.resume()
    course.say({ what: `kill -CONT ${name} (pid ${pid})`, target: name, over: true })
  } else {
    course.say({ what: `kill -TERM ${name} (pid ${pid})`, target: name })
    const ended = await target.restart()
    const how = ended.signal === null ? `exit code ${ended.code}` : `signal ${ended.signal}`
    const what = `${name} ended with ${how} after ${ended.drainMs} ms, takes work again after ${ended.readyMs} ms`
    course.say({ what, target: name, ended, over: true })
  }
}

/** Brings the number of instances of a service to each step in turn: the newest come, the oldest go. */
export async function runScaleFault(fault: ScaleFault, system: System, draw: Draw, course: Course): Promise<void> {
  const { service, steps, everyMs } = fault
  for (const step of steps) {
    if (course.over) return
    const instances = () => namesOf(system, service)
    const before = instances().length
    while (instances().length < step) {
      const name = await system.add(service)
      course.say({ what: `${name} takes work, one of ${instances().length}`, target: name })
    }
    while (instances().length > step) {
      const [name] = instances() as [string]
      course.say({ what: `${name} is asked to leave`, target: name })
      const ended = await system.remove(name)
      const what = `${name} left with exit code ${ended.code} after ${ended.drainMs} ms, ${instances().length} remain`
      course.say({ what, target: name, ended, over: true })
    }
    if (before !== step || step !== steps.at(-1)) await course.pause(draw.between(0.5, 1.5) * everyMs)
  }
}

/** Those of the system that a word of the command line means. @throws when there is none */
function namesOf(system: System, who: string): string[] {
  const own = system.processes.filter(({ pid }) => pid !== 0).map(({ name }) => name)
  const kinds: readonly string[] = { services: SERVICES, servers: SERVERS, all: [...SERVICES, ...SERVERS] }[who] ?? [
    who,
  ]
  // In the order of the words, so that a rolling restart goes through the services before the servers.
  const names = kinds.flatMap((kind) => own.filter((name) => name === kind || name.replace(/-\d+$/, '') === kind))
  if (names.length === 0) throw new Error(`No process is meant by ${who}: there are ${own.join(', ')}`)
  return names
}
