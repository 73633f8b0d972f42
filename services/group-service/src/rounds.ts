import type { Logger } from '@qunxin/runtime'

export interface Rounds {
  /** Another round at once, or right after the one under way. */
  wake(): void
  /** Resolves when the round under way is over. */
  stop(): Promise<void>
}

/** Runs `round` again and again, one at a time: when woken, and `everyMs` after the last one otherwise or when it failed. */
export function startRounds(
  round: () => Promise<void>,
  options: { name: string; everyMs: number; logger: Logger },
): Rounds {
  const { name, everyMs, logger } = options
  let stopped = false
  let woken = false
  let failing = false
  let endPause = () => {}

  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, everyMs)
      endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const turn = async () => {
    woken = false
    try {
      await round()
      if (failing) logger.info(`${name} works again`)
      failing = false
    } catch (error) {
      if (!failing) logger.warn({ err: error }, `${name} does not work, trying again`)
      failing = true
    }
  }
  const all = async () => {
    while (!stopped) {
      await turn()
      if (!stopped && (failing || !woken)) await pause()
    }
  }

  const done = all()
  return {
    wake() {
      woken = true
      if (!failing) endPause()
    },
    async stop() {
      stopped = true
      endPause()
      await done
    },
  }
}
