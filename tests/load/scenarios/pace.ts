import { setTimeout as delay } from 'node:timers/promises'

export interface Pace {
  /** Sends no more. */
  stop(): Promise<void>
}

const TICK_MS = 1

/**
 * Open loop: so many a second, evenly, whatever becomes of those before. `send` is told its number and when it was meant to go out,
 * which is earlier than now when this process itself could not keep up.
 */
export function openLoop(perSecond: number, send: (number: number, intendedAt: number) => void): Pace {
  const started = performance.now()
  const everyMs = 1_000 / perSecond
  let number = 0
  let running = true
  const run = async () => {
    while (running) {
      const now = performance.now()
      for (; running && started + number * everyMs <= now; number++) send(number, started + number * everyMs)
      await delay(TICK_MS)
    }
  }
  const ended = run()
  return {
    async stop() {
      running = false
      await ended
    },
  }
}

/** Closed loop: so many on their way at a time, each followed by the next when it has its answer. */
export function closedLoop(inFlight: number, send: () => Promise<void>, wanted: () => boolean): Pace {
  let running = true
  const run = async () => {
    while (running && wanted()) await send()
  }
  const ended = Promise.all(Array.from({ length: inFlight }, run))
  return {
    async stop() {
      running = false
      await ended
    },
  }
}
