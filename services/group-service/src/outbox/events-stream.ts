import type { Bus } from '@qunxin/bus'
import { EVENTS_STREAM, subjects } from '@qunxin/contracts'
import type { PublishFact } from './relay.ts'

const PUBLISH_TIMEOUT_MS = 5_000
const MS = 1_000_000
const HOUR = 3_600_000 * MS
const NAME_IN_USE = 10_058
const NOT_FOUND = 10_059

/** `IM_EVENTS`; below another prefix than `im` a stream of its own, so that two systems share one NATS. */
export function eventsStreamName(prefix: string): string {
  return prefix === 'im' ? EVENTS_STREAM.name : `${prefix.toUpperCase()}_EVENTS`
}

/** Publishes facts to the stream, which it makes when there is none. */
export function factPublisher(bus: Bus, prefix: string): PublishFact {
  const jetstream = bus.jetstream()
  let ready: Promise<void> | undefined
  return async ({ id, what, data }) => {
    try {
      ready ??= ensureStream(bus, prefix)
      await ready
      await jetstream.publish(bus.subject(subjects.groupEvent(what)), JSON.stringify(data), {
        msgID: id,
        timeout: PUBLISH_TIMEOUT_MS,
      })
    } catch (error) {
      // It may have been removed: look again before the next fact.
      ready = undefined
      throw error
    }
  }
}

async function ensureStream(bus: Bus, prefix: string): Promise<void> {
  const { streams } = await bus.jetstreamManager()
  const name = eventsStreamName(prefix)
  try {
    await streams.info(name)
  } catch (error) {
    if (codeOf(error) !== NOT_FOUND) throw error
    const subject = bus.subject(subjects.allEvents)
    await streams
      .add({ name, subjects: [subject], storage: 'file', max_age: EVENTS_STREAM.maxAgeHours * HOUR })
      .catch((refusal: unknown) => {
        // Another process was first, with settings of its own.
        if (codeOf(refusal) !== NAME_IN_USE) throw refusal
      })
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
