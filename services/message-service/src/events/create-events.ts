import { randomBytes } from 'node:crypto'
import { type Bus, EventsStream, PUBLISHED_AGAIN_MS } from '@qunxin/bus'
import { subjects } from '@qunxin/contracts'
import { knownStream } from '@qunxin/mongo'
import { type Clock, type Logger, untilAvailable } from '@qunxin/runtime'
import type { Db } from 'mongodb'
import type { Config } from '../config.ts'
import type { MessageLog } from '../store/message-log.ts'
import type { Event } from './event-writer.ts'
import type { MissedBy } from './message-events.ts'
import { OwnWatermark } from './own-watermark.ts'
import { Recovery } from './recovery.ts'
import { EventRelay, type RelayMetrics } from './relay.ts'
import { Watermarks } from './watermarks.ts'

export interface EventsOptions {
  config: Pick<Config, 'SUBJECT_PREFIX' | 'EVENTS_MAX_BYTES' | 'EVENTS_WAITING_BYTES'>
  bus: Bus
  db: Db
  instance: string
  missedBy: MissedBy
  log: Pick<MessageLog, 'applyChanges' | 'originals'>
  /** The oldest message of ours (ms of the log) the relay may not have been handed everything about. */
  untoldSince(): number
  clock: Clock
  metrics: RelayMetrics & { eventsRecovered(facts: number): void }
  logger: Logger
}

export interface Events {
  /** Resolves when others would notice our death. */
  start(signal?: AbortSignal): Promise<void>
  relay: EventRelay
  /** How long ago what may be missing in the stream was stored, in ms. */
  behindMs(): number
  /** Undefined when what is stored now is published even if we die; else resolves when that is so. */
  standing(): Promise<void> | undefined
  /** Reads nothing back any more. */
  stopReadingBack(): Promise<void>
  /** Publishes what is here; to be called when nothing is stored any more. */
  idle(): Promise<void>
  /** Leaves what is not published to others. */
  stop(): Promise<void>
}

/** Everything between the lanes and the stream of events. */
export function createEvents(options: EventsOptions): Events {
  const { config, bus, db, log, instance, clock, logger, metrics, missedBy, untoldSince } = options
  const watermarks = new Watermarks(db)
  const stream = new EventsStream(bus, {
    prefix: config.SUBJECT_PREFIX,
    maxBytes: config.EVENTS_MAX_BYTES,
    known: knownStream(db, 'message-service'),
    publishAgain: async (arranged) => {
      if (arranged || !(await db.collection('messages').findOne({}, { projection: { _id: 1 } }))) return
      await watermarks.readBack(`stream-${randomBytes(6).toString('hex')}`, PUBLISHED_AGAIN_MS)
    },
    logger,
  })
  const publish = ({ what, payload, id }: Event) => stream.publish(subjects.messageEvent(what), payload, id)
  const relay = new EventRelay({ publish, limitBytes: config.EVENTS_WAITING_BYTES, clock, metrics, logger })
  const unpublishedSince = () => Math.min(relay.unpublishedSince, untoldSince())
  const own = new OwnWatermark({ instance, watermarks, unpublishedSince, clock, logger })
  const recovery = new Recovery({
    instance,
    db,
    watermarks,
    ready: () => stream.ready(),
    publish,
    missedBy,
    log,
    doubt: relay.doubt,
    inDatabase: (time) => own.inDatabase(time),
    metrics,
    logger,
  })
  return {
    async start(signal) {
      await untilAvailable('the watermark', () => own.start(), { logger, signal })
      recovery.start()
    },
    relay,
    behindMs: () => Math.max(0, clock.now() - unpublishedSince()),
    standing: () => own.standing(),
    stopReadingBack: () => recovery.stop(),
    idle: () => relay.idle(),
    async stop() {
      relay.letGo()
      await own.stop()
    },
  }
}
