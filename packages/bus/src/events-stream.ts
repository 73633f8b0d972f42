import type { JetStreamClient } from '@nats-io/jetstream'
import { EVENTS_STREAM, subjects } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import type { Bus } from './bus.ts'
import { ensureStream } from './stream-settings.ts'

const PUBLISH_TIMEOUT_MS = 5_000
/** A stream that was deleted and made again by another process is noticed so much later; far less than what is published again. */
const LOOK_EVERY_MS = 10_000
/** How far back a stream that is new gets what was published before. */
export const PUBLISHED_AGAIN_MS = 10 * 60_000

/** Which stream a service has published to last, kept where its facts are. */
export interface KnownStream {
  read(): Promise<string | undefined>
  write(created: string): Promise<void>
}

export interface EventsStreamOptions {
  prefix: string
  /** Of the stream; the oldest events go first. */
  maxBytes: number
  known: KnownStream
  /**
   * The stream is new: arranges for what was published in the last `PUBLISHED_AGAIN_MS` to be published once more. Each process
   * that published to the one before is told; `arranged` says that another has been through with it.
   */
  publishAgain(arranged: boolean): Promise<void>
  logger: Logger
}

/** `IM_EVENTS`; below another prefix than `im` a stream of its own, so that two systems share one NATS. */
export function eventsStreamName(prefix: string): string {
  return prefix === 'im' ? EVENTS_STREAM.name : `${prefix.toUpperCase()}_EVENTS`
}

/** The JetStream stream of the facts: makes it when there is none, and notices one that is not the one of before. */
export class EventsStream {
  readonly #bus: Bus
  readonly #options: EventsStreamOptions
  readonly #name: string
  readonly #jetstream: JetStreamClient
  #created: string | undefined
  #ready: Promise<void> | undefined
  #lookedAt = -Infinity

  constructor(bus: Bus, options: EventsStreamOptions) {
    this.#bus = bus
    this.#options = options
    this.#name = eventsStreamName(options.prefix)
    this.#jetstream = bus.jetstream()
  }

  /** When the stream was made, as it says: another one is another stream. Undefined while it has not been looked at. */
  get created(): string | undefined {
    return this.#created
  }

  /**
   * Resolves when the stream has the event, be it from before under the same id. Many may be under way at once.
   *
   * @throws when it has not said so within 5 s
   */
  async publish(name: string, payload: Uint8Array | string, id: string): Promise<void> {
    try {
      await this.ready()
      await this.#jetstream.publish(this.#bus.subject(name), payload, {
        msgID: id,
        timeout: PUBLISH_TIMEOUT_MS,
        expect: { streamName: this.#name },
      })
    } catch (error) {
      // It may have been removed: look again before the next event.
      this.#ready = undefined
      throw error
    }
  }

  /** Resolves when the stream is there; to be called now and then by who publishes little. @throws when it cannot be made */
  async ready(): Promise<void> {
    if (performance.now() - this.#lookedAt >= LOOK_EVERY_MS) this.#ready = undefined
    this.#ready ??= this.#look().catch((error: unknown) => {
      this.#ready = undefined
      throw error
    })
    await this.#ready
  }

  async #look(): Promise<void> {
    const { known, publishAgain, logger, maxBytes } = this.#options
    this.#lookedAt = performance.now()
    if (!this.#bus.writable) throw new Error('NATS is away')
    const { streams } = await this.#bus.jetstreamManager()
    const subject = this.#bus.subject(subjects.allEvents)
    const created = await ensureStream(streams, { name: this.#name, subject, maxBytes, logger })
    if (created === this.#created) return
    const before = await known.read()
    if (before !== created || this.#created !== undefined) {
      logger.info({ stream: this.#name, created, before }, 'the stream of events is new: the last 10 minutes go there')
      await publishAgain(before === created)
      await known.write(created)
    }
    this.#created = created
  }
}
