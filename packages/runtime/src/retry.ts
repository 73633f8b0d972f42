import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from './logger.ts'

/**
 * Tries until it works, for servers that are not up yet: says at once and then every 5 s what it waits for.
 *
 * @throws the abort reason when `signal` is aborted
 */
export async function untilAvailable<T>(
  what: string,
  attempt: () => Promise<T>,
  options: { logger: Logger; signal?: AbortSignal | undefined; everyMs?: number },
): Promise<T> {
  const { logger, signal, everyMs = 500 } = options
  let saidAt = -Infinity
  for (;;) {
    signal?.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      const now = performance.now()
      if (now - saidAt >= 5_000) {
        saidAt = now
        logger.warn({ reason: error instanceof Error ? error.message : String(error) }, `waiting for ${what}`)
      }
      await delay(everyMs, undefined, signal ? { signal } : undefined)
    }
  }
}
