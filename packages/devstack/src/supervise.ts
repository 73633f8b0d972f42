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

export interface Supervised {
  readonly pid: number
  readonly running: boolean
  stop(graceMs?: number): Promise<void>
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

  const keepRunning = async () => {
    let delay = BACKOFF_MS.first
    for (;;) {
      const startedAt = performance.now()
      const exit = await child.exited
      if (stopping) return
      if (performance.now() - startedAt > SETTLED_MS) delay = BACKOFF_MS.first
      progress(
        `${name} (pid ${child.pid}) ended: ${describe(exit)}. Starting it again in ${delay} ms. Its log, ${child.logFile}, ends with:\n${lastLines(child.logFile, 4)}`,
      )
      await sleep(delay)
      delay = Math.min(delay * 2, options.restartWithinMs ?? BACKOFF_MS.longest)
      if (stopping) return
      child = await options.spawn()
      options.onSpawn?.(child.pid)
      options.ready(child).then(
        () => progress(`${name} is back (pid ${child.pid})`),
        () => {}, // it ended again: the next round says so
      )
    }
  }
  const kept = keepRunning()

  return {
    get pid() {
      return child.pid
    },
    get running() {
      return child.running
    },
    async stop(graceMs) {
      stopping = true
      await child.stop(graceMs)
      await kept
      // A restart may have been under way.
      await child.stop(graceMs)
    },
  }
}

function describe(exit: Exit): string {
  return exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`
}
