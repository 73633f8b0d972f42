import { every, type Logger } from '@qunxin/runtime'

const LOOK_EVERY_MS = 500
/** Connections that came or went since the last time: so many, and such a share of all, leave enough behind. */
const AT_LEAST = 1_000
const SHARE = 0.1
/** Of the time since the last look; busier than that is not the time to stand still. */
const QUIET = 0.25
/** What they have alive is gone through, some 15 µs each: of more of them all clients would wait for too long. */
const MOST = 20_000

export interface QuietOptions {
  /** Open sockets. */
  connections(): number
  /** What share of the time since it was last asked this process was busy. */
  busy(): number
  /** Collects everything and gives the pages back. */
  collect(): void
}

/**
 * Collects garbage after many connections have come or gone, once it is quiet. V8 collects only where something is allocated, and
 * keeps the pages it empties: what a burst of connecting leaves behind would else stay for as long as its connections do next to
 * nothing, and it is about as much as they need themselves.
 */
export class Quiet {
  readonly #options: QuietOptions
  #collectedAt = 0

  constructor(options: QuietOptions) {
    this.#options = options
  }

  /** To be called once in a while. Returns whether it has collected. */
  look(): boolean {
    const { connections, busy, collect } = this.#options
    const quiet = busy() < QUIET
    const now = connections()
    const changed = Math.abs(now - this.#collectedAt)
    if (!quiet || changed < Math.max(AT_LEAST, SHARE * now) || now > MOST) return false
    this.#collectedAt = now
    collect()
    return true
  }
}

/** Does nothing in a process that was not started with `--expose-gc`. */
export function collectWhenQuiet({ connections, logger }: { connections(): number; logger: Logger }): { stop(): void } {
  const { gc } = globalThis
  if (!gc) return { stop() {} }
  let last = performance.eventLoopUtilization()
  const quiet = new Quiet({
    connections,
    busy() {
      const before = last
      last = performance.eventLoopUtilization()
      return performance.eventLoopUtilization(last, before).utilization
    },
    collect() {
      const since = performance.now()
      // Any other flavour leaves the pages in V8's pool.
      gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
      logger.debug({ connections: connections(), ms: Math.round(performance.now() - since) }, 'collected garbage')
    },
  })
  return every(LOOK_EVERY_MS, () => quiet.look())
}
