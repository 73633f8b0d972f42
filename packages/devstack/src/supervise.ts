import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, type Exit, lastLines } from './child.ts'
import type { Progress } from './progress.ts'

export interface SuperviseOptions {
  name: string
  spawn(): Promise<Child>
  /** Resolves when the process takes work; throws when it ended instead. */
  ready(child: Child): Promise<void>
  progress: Progress
  /** Called with each new process, first of all the one of the first start. */
  onSpawn?: ((pid: number) => void) | undefined
  /** The longest pause before the next start; pauses grow with each. */
  restartWithinMs?: number | undefined
  /** Gives up the first start. */
  signal?: AbortSignal | undefined
}

/** How a process ended that was asked to. */
export interface Ended extends Exit {
  /** From SIGTERM to its end, in milliseconds. */
  drainMs: number
}

export interface Restarted extends Ended {
  /** From SIGTERM to its successor taking work, in milliseconds. */
  readyMs: number
}

export interface Supervised {
  readonly pid: number
  readonly running: boolean
  /** SIGKILL. Resolves when the successor takes work. */
  kill(): Promise<void>
  /** SIGSTOP: it stands still, with its memory, its connections and its timers. */
  pause(): void
  /** SIGCONT. */
  resume(): void
  /** SIGTERM, SIGKILL after `graceMs`, and the next start at once. Resolves when the successor takes work. */
  restart(graceMs?: number): Promise<Restarted>
  /** SIGTERM, SIGKILL after `graceMs`; nothing is started again. */
  stop(graceMs?: number): Promise<Ended>
}

const BACKOFF_MS = { first: 200, longest: 5000 }
/** A process that lived this long starts the next time without delay. */
const SETTLED_MS = 10_000

/**
 * Starts a process and starts it again, visibly, whenever it ends without being asked. The first start must succeed:
 * a process that never worked is a fault to show, not to repeat.
 */
export async function supervise(options: SuperviseOptions): Promise<Supervised> {
  const { name, progress } = options
  let stopping = false
  /** The process that was asked to make room for the next one. */
  let leaving: Child | undefined
  const waiting = new Set<PromiseWithResolvers<void>>()
  options.signal?.throwIfAborted()
  let child = await options.spawn()
  options.onSpawn?.(child.pid)
  const giveUp = () => void child.stop()
  options.signal?.addEventListener('abort', giveUp)
  try {
    await options.ready(child)
  } catch (error) {
    await child.stop()
    throw error
  } finally {
    options.signal?.removeEventListener('abort', giveUp)
  }

  const isBack = () => {
    progress(`${name} is back (pid ${child.pid})`)
    for (const one of waiting) one.resolve()
    waiting.clear()
  }
  const isNotBack = (error: unknown) => {
    progress(
      `${name} (pid ${child.pid}) runs, but does not take work: ${error instanceof Error ? error.message : error}`,
    )
    for (const one of waiting) one.reject(error)
    waiting.clear()
  }
  const keepRunning = async () => {
    let delay = BACKOFF_MS.first
    for (;;) {
      const startedAt = performance.now()
      const exit = await child.exited
      if (stopping) return
      if (child === leaving) {
        progress(`${name} (pid ${child.pid}) ended as it was asked to: ${describe(exit)}`)
      } else {
        if (performance.now() - startedAt > SETTLED_MS) delay = BACKOFF_MS.first
        progress(
          `${name} (pid ${child.pid}) ended: ${describe(exit)}. Starting it again in ${delay} ms. Its log, ${child.logFile}, ends with:\n${lastLines(child.logFile, 4)}`,
        )
        await sleep(delay)
        delay = Math.min(delay * 2, options.restartWithinMs ?? BACKOFF_MS.longest)
      }
      if (stopping) return
      child = await options.spawn()
      options.onSpawn?.(child.pid)
      const current = child
      options.ready(current).then(
        () => current === child && current.running && isBack(),
        // When it ended again, the next round says so.
        (error) => current === child && current.running && isNotBack(error),
      )
    }
  }
  const kept = keepRunning()

  const back = async (): Promise<void> => {
    if (stopping) throw new Error(`${name} is stopped for good`)
    const one = Promise.withResolvers<void>()
    waiting.add(one)
    await one.promise
  }
  return {
    get pid() {
      return child.pid
    },
    get running() {
      return child.running
    },
    async kill() {
      const isReady = back()
      child.signal('SIGKILL')
      await isReady
    },
    pause: () => child.signal('SIGSTOP'),
    resume: () => child.signal('SIGCONT'),
    async restart(graceMs) {
      const asked = performance.now()
      const isReady = back()
      leaving = child
      const ended = await timed(child, graceMs)
      await isReady
      return { ...ended, readyMs: Math.round(performance.now() - asked) }
    },
    async stop(graceMs) {
      stopping = true
      for (const one of waiting) one.reject(new Error(`${name} is stopped for good`))
      waiting.clear()
      const ended = await timed(child, graceMs)
      await kept
      // A restart may have been under way.
      await child.stop(graceMs)
      return ended
    },
  }
}

async function timed(child: Child, graceMs: number | undefined): Promise<Ended> {
  const asked = performance.now()
  const exit = await child.stop(graceMs)
  return { ...exit, drainMs: Math.round(performance.now() - asked) }
}

function describe(exit: Exit): string {
  return exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`
}
