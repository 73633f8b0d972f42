import { DiscardPolicy, JetStreamApiError, StorageType, type StreamAPI, type StreamConfig } from '@nats-io/jetstream'
import { EVENTS_STREAM } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'

const HOUR_NS = 3_600_000 * 1_000_000
const NAME_IN_USE = 10_058
const NOT_FOUND = 10_059

export interface StreamSettings {
  name: string
  subject: string
  maxBytes: number
  logger: Logger
}

/**
 * Makes the stream of events, or gives one that has no bound in bytes this one: a full disk would end JetStream for everybody.
 * Other settings of an operator's stay as they are. Resolves with when it was made.
 */
export async function ensureStream(streams: StreamAPI, settings: StreamSettings): Promise<string> {
  const { name, maxBytes, logger } = settings
  for (;;) {
    try {
      const { config, created } = await streams.info(name)
      if (config.max_bytes <= 0)
        await streams
          .update(name, { ...config, max_bytes: maxBytes, discard: DiscardPolicy.Old })
          .catch((error: unknown) => logger.warn({ err: error, stream: name }, 'the stream of events has no bound'))
      return created
    } catch (error) {
      if (codeOf(error) !== NOT_FOUND) throw error
    }
    try {
      return (await streams.add(newStream(settings))).created
    } catch (error) {
      // Another process was first, with settings of its own.
      if (codeOf(error) !== NAME_IN_USE) throw error
    }
  }
}

function newStream({ name, subject, maxBytes }: StreamSettings): Partial<StreamConfig> & { name: string } {
  return {
    name,
    subjects: [subject],
    storage: StorageType.File,
    max_age: EVENTS_STREAM.maxAgeHours * HOUR_NS,
    max_bytes: maxBytes,
    discard: DiscardPolicy.Old,
  }
}

function codeOf(error: unknown): number | undefined {
  return error instanceof JetStreamApiError ? error.code : undefined
}
