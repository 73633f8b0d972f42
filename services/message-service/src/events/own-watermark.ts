import { setTimeout as delay } from 'node:timers/promises'
import { type Clock, every, type Logger } from '@qunxin/runtime'
import { answered } from '../store/answered.ts'
import { SILENT_MS, type Watermarks } from './watermarks.ts'

const LOOK_EVERY_MS = 1_000
/** Three fit into the time for which one is valid; one that fails is made again at the next look. */
const RENEW_AFTER_MS = 2_500
const RETRY_MS = 200
/** What is stored later than this after a renewal might be of an instance already taken for dead, and read back too early. */
const VALID_MS = SILENT_MS - 1_000

export interface OwnWatermarkOptions {
  instance: string
  watermarks: Pick<Watermarks, 'renew' | 'remove'>
  /** Since when (ms by our clock) something we stored may be missing in the stream; Infinity when nothing is. */
  unpublishedSince(): number
  clock: Clock
  logger: Logger
}

/** Keeps the watermark of this instance: should it die, others know from where on to read back. */
export class OwnWatermark {
  readonly #options: OwnWatermarkOptions
  #looking: { stop(): void } | undefined
  #renewing: Promise<void> | undefined
  #renewedAt = -Infinity
  /** What to add to our time for one that the database's clock had passed by then. */
  #offset: number | undefined
  #isFailing = false
  #isStopped = false

  constructor(options: OwnWatermarkOptions) {
    this.#options = options
  }

  /** @throws when the database does not take the first one */
  async start(): Promise<void> {
    await this.#renew()
    this.#looking = every(LOOK_EVERY_MS, () => {
      if (performance.now() - this.#renewedAt >= RENEW_AFTER_MS) this.#tick()
    })
  }

  /**
   * Undefined when what is stored now is published even if we die; else resolves when that is so, as after a pause of this
   * process or of the database.
   */
  standing(): Promise<void> | undefined {
    return this.#isStanding() ? undefined : this.#untilStanding()
  }

  /** A time of ours by the database's clock, or a little earlier. */
  inDatabase(time: number): number {
    return time + (this.#offset ?? 0)
  }

  /** Nothing is stored any more. What is not published then is left to others. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#looking?.stop()
    await this.#renewing
    const { instance, watermarks, unpublishedSince } = this.#options
    if (unpublishedSince() === Number.POSITIVE_INFINITY) await watermarks.remove(instance)
    else await this.#renew()
  }

  #isStanding(): boolean {
    return performance.now() - this.#renewedAt < VALID_MS
  }

  async #untilStanding(): Promise<void> {
    for (;;) {
      this.#tick()
      await this.#renewing
      if (this.#isStanding() || this.#isStopped) return
      await delay(RETRY_MS)
    }
  }

  #tick(): void {
    this.#renewing ??= this.#renew()
      .then(
        () => {
          this.#isFailing = false
        },
        (error: unknown) => {
          if (!this.#isFailing)
            this.#options.logger.warn({ reason: String(error) }, 'how far events are published cannot be stored')
          this.#isFailing = true
        },
      )
      .finally(() => {
        this.#renewing = undefined
      })
  }

  async #renew(): Promise<void> {
    const { instance, watermarks, unpublishedSince, clock } = this.#options
    const startedAt = performance.now()
    const until = Math.min(clock.now(), unpublishedSince())
    // One that is given up and happens all the same says no more than what was true then.
    const renewal = watermarks.renew(instance, this.#offset === undefined ? undefined : until + this.#offset)
    const time = await answered(renewal)
    this.#renewedAt = startedAt
    this.#offset = time - clock.now()
  }
}
