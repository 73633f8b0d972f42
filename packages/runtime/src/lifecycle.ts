import type { Logger } from './logger.ts'

/** One step of stopping, with a limit of its own: a step that hangs does not keep the ones behind it from running. */
export interface DrainPhase {
  name: string
  limitMs: number
  run(): Promise<void> | void
}

/** Runs the phases in order; a fault or an overrun is logged and the next one goes on. */
export async function drain(phases: readonly DrainPhase[], logger: Logger): Promise<void> {
  for (const phase of phases) {
    const started = performance.now()
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, phase.limitMs, 'late')
    })
    try {
      const outcome = await Promise.race([Promise.resolve(phase.run()), limit])
      if (outcome === 'late')
        logger.warn({ phase: phase.name, limitMs: phase.limitMs }, 'drain phase took too long, going on')
      else logger.debug({ phase: phase.name, tookMs: Math.round(performance.now() - started) }, 'drain phase done')
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

/**
 * Starts a service, waits for SIGTERM or SIGINT, and stops it. Resolves with the exit code: 0 after a clean stop, 1 when the
 * start failed or the stop took longer than `drainTimeoutMs`, 130 on a second signal.
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

  const wholeLife = async () => {
    let running: Running
    try {
      running = await start(starting.signal)
    } catch (error) {
      if (starting.signal.aborted) return 0
      logger.fatal({ err: error }, 'could not start')
      return 1
    }
    await asked.promise
    const limit = new Promise<number>((resolve) => setTimeout(resolve, drainTimeoutMs, 1).unref())
    return Promise.race([running.stop().then(() => 0), limit])
  }
  return Promise.race([wholeLife(), askedTwice.promise])
}
