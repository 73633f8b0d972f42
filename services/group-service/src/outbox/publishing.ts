import { type Bus, EventsStream, PUBLISHED_AGAIN_MS } from '@qunxin/bus'
import { subjects } from '@qunxin/contracts'
import { knownStream } from '@qunxin/mongo'
import type { Logger } from '@qunxin/runtime'
import type { GroupServiceConfig } from '../config.ts'
import { type Rounds, startRounds } from '../rounds.ts'
import type { Database } from '../store/mongo/database.ts'
import { MongoOutbox } from '../store/mongo/mongo-outbox.ts'
import { relayFacts } from './relay.ts'

export interface PublishingOptions {
  config: Pick<GroupServiceConfig, 'SUBJECT_PREFIX' | 'EVENTS_MAX_BYTES' | 'MONGO_DATABASE'>
  db: Database
  logger: Logger
}

/** One round of publishing what is in the outbox, whoever put it there. */
export function publishing(bus: Bus, { config, db, logger }: PublishingOptions): () => Promise<void> {
  const outbox = new MongoOutbox(db)
  const stream = new EventsStream(bus, {
    prefix: config.SUBJECT_PREFIX,
    maxBytes: config.EVENTS_MAX_BYTES,
    known: knownStream(db.client.db(config.MONGO_DATABASE), 'group-service'),
    publishAgain: () => outbox.publishAgain(PUBLISHED_AGAIN_MS),
    logger,
  })
  const facts = {
    publish: ({ id, what, data }: Parameters<Parameters<typeof relayFacts>[1]['publish']>[0]) =>
      stream.publish(subjects.groupEvent(what), JSON.stringify(data), id),
    current: () => stream.created,
  }
  return async () => {
    // Also when nothing is to be published: a new stream is to have what the one before it had.
    await stream.ready()
    await relayFacts(outbox, facts)
  }
}

/** Publishes facts as they are stored; a stop publishes what is still there. */
export function startPublishing(bus: Bus, options: PublishingOptions & { everyMs: number }): Rounds {
  const relay = publishing(bus, options)
  const rounds = startRounds(relay, { name: 'publishing facts', everyMs: options.everyMs, logger: options.logger })
  return {
    wake: rounds.wake,
    async stop() {
      await rounds.stop()
      await relay()
    },
  }
}
