import type { Logger } from './logger.ts'

/** One step of stopping, with a limit of its own: a step that hangs does not keep the ones behind it from running. */
export interface DrainPhase {
  name: string
  limitMs: number
  run(): Promise<void> | void
}

/** What each phase behind the one that runs is left with, however much of the time is used up. */
const LEAST_MS = 200

/**
 * Runs the phases in order; a fault or an overrun is logged and the next one goes on. Together they take `withinMs` at the
 * most: when servers are gone and every phase reaches its limit, the last ones get less than theirs.
 */
export async function drain(phases: readonly DrainPhase[], logger: Logger, withinMs = Infinity): Promise<void> {
  const end = performance.now() + withinMs
  for (const [index, phase] of phases.entries()) {
    const started = performance.now()
    const spare = end - started - (phases.length - index - 1) * LEAST_MS
    const limitMs = Math.round(Math.min(phase.limitMs, Math.max(LEAST_MS, spare)))
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, limitMs, 'late')
    })
    try {
      const outcome = await Promise.race([Promise.resolve(phase.run()), limit])
      const took = { phase: phase.name, tookMs: Math.round(performance.now() - started), limitMs }
      if (outcome === 'late') logger.warn(took, 'drain phase took too long, going on')
      else logger.info(took, 'drain phase done')
    } catch (error) {
      logger.error({ err: error, phase: phase.name }, 'drain phase failed, going on')
    } finally {
      clearTimeout(timer)
    }
  }
}

export interface Running {
  stop(): Promise<void>
}

/** A start that was told to stop is not waited for longer: whatever server it waits for, it has taken no work yet. */
const ABANDON_START_MS = 3_000

/**
 * Starts a service, waits for SIGTERM or SIGINT, and stops it. Resolves with the exit code: 0 after a clean stop, also of a
 * start under way, 1 when the start failed or the stop took longer than `drainTimeoutMs`, 130 on a second signal.
 */
export async function runUntilSignal(
  start: (signal: AbortSignal) => Promise<Running>,
  options: { logger: Logger; drainTimeoutMs: number },
): Promise<number> {
  const { logger, drainTimeoutMs } = options
  const asked = Promise.withResolvers<void>()
  const askedTwice = Promise.withResolvers<number>()
  const starting = new AbortController()
  let signals = 0
  const onSignal = (name: NodeJS.Signals) => {
    signals += 1
    if (signals === 1) {
      logger.info({ signal: name }, 'stopping; a second signal stops at once')
      starting.abort()
      asked.resolve()
    } else askedTwice.resolve(130)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)

  const atMost = (limitMs: number, code: number) => new Promise<number>((resolve) => setTimeout(resolve, limitMs, code))
  const wholeLife = async () => {
    let running: Running | number
    try {
      running = await Promise.race([start(starting.signal), asked.promise.then(() => atMost(ABANDON_START_MS, 0))])
    } catch (error) {
      if (starting.signal.aborted) return 0
      logger.fatal({ err: error }, 'could not start')
      return 1
    }
    if (typeof running === 'number') return running
    await asked.promise
    return Promise.race([running.stop().then(() => 0), atMost(drainTimeoutMs, 1)])
  }
  return Promise.race([wholeLife(), askedTwice.promise])
}
