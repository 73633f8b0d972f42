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
  let timer: ReturnType<typeof setTimeout> | undefined
  const run = () => {
    const now = performance.now()
    for (; running && started + number * everyMs <= now; number++) send(number, started + number * everyMs)
    // One that is due in less than a tick is sent late rather than waited for at the cost of what is measured.
    timer = setTimeout(run, Math.max(TICK_MS, Math.floor(started + number * everyMs - now)))
  }
  run()
  return {
    async stop() {
      running = false
      clearTimeout(timer)
    },
  }
}

/** Closed loop: so many on their way at a time, each followed by the next when it has its answer, which it is to say. */
export function closedLoop(inFlight: number, send: (settled: () => void) => void, wanted: () => boolean): Pace {
  const ended = Promise.withResolvers<void>()
  let running = true
  let onTheirWay = inFlight
  const next = () => {
    if (running && wanted()) return send(next)
    onTheirWay -= 1
    if (onTheirWay === 0) ended.resolve()
  }
  for (let i = 0; i < inFlight; i++) next()
  return {
    async stop() {
      running = false
      if (inFlight > 0) await ended.promise
    },
  }
}
