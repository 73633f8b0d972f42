import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, lastLines } from './child.ts'
import { SetupError } from './progress.ts'

/**
 * Asks `probe` until it answers something, as long as the process lives.
 *
 * @throws SetupError with the end of its log when the process ends or `limitMs` pass
 */
export async function waitUntil<T>(
  child: Pick<Child, 'name' | 'logFile' | 'running'> & { exited?: Child['exited'] },
  probe: () => Promise<T | undefined>,
  limitMs = 30_000,
): Promise<T> {
  const until = performance.now() + limitMs
  let last: unknown
  while (performance.now() < until) {
    try {
      const answer = await probe()
      if (answer !== undefined) return answer
    } catch (error) {
      last = error
    }
    if (!child.running)
      throw new SetupError(
        `${child.name} ended while starting. Its log (${child.logFile}) ends with:\n${lastLines(child.logFile)}`,
      )
    await sleep(50)
  }
  const why = last instanceof Error ? ` (${last.message})` : ''
  throw new SetupError(
    `${child.name} was not ready within ${limitMs / 1000} s${why}. Its log (${child.logFile}) ends with:\n${lastLines(child.logFile)}`,
  )
}
