import { Counter, Histogram, type Registry, readings } from '@qunxin/runtime'
import type { RelayMetrics } from './events/relay.ts'
import type { DeliveryMetrics } from './fanout/node-streams.ts'
import type { RetentionMetrics } from './retention/retention.ts'

export interface LaneMetrics {
  committed(messages: number, tookMs: number): void
}

export interface ServiceMetrics extends LaneMetrics, DeliveryMetrics, RetentionMetrics, RelayMetrics {
  eventsRecovered(facts: number): void
  unreached(users: number): void
  offline(users: number): void
  offlineLetGo(users: number): void
  refusedBatch(sends: number): void
  dropped(cause: 'stall' | 'nats'): void
}

/** What an operator watches: how much is committed at once, how long it takes, what goes out, and what waits. */
export function serviceMetrics(
  registry: Registry,
  gauges: {
    waiting(): number
    reads(): number
    conversations(): number
    partitions(): number
    unconfirmed(): { deliveries: number; bytes: number }
    events(): { waiting: number; behindMs: number }
  },
): ServiceMetrics {
  const registers = [registry]
  const messages = new Counter({ name: 'qunxin_messages_stored_total', help: 'Messages stored', registers })
  const batch = new Histogram({
    name: 'qunxin_commit_messages',
    help: 'Messages in one commit',
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000],
    registers,
  })
  const seconds = new Histogram({
    name: 'qunxin_commit_seconds',
    help: 'From the begin of a commit to its confirmation by a majority',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const deliveries = new Counter({ name: 'qunxin_deliveries_total', help: 'NATS messages sent to gateways', registers })
  const deliveredBytes = new Counter({ name: 'qunxin_delivery_bytes_total', help: 'Bytes sent to gateways', registers })
  const again = new Counter({
    name: 'qunxin_deliveries_again_total',
    help: 'Deliveries a gateway asked for again',
    registers,
  })
  const gaveUp = new Counter({
    name: 'qunxin_deliveries_given_up_total',
    help: 'Deliveries given up unconfirmed; the gateway reads what it missed from the log',
    registers,
  })
  const unreached = new Counter({
    name: 'qunxin_deliveries_unreached_total',
    help: 'Receivers of messages whose gateway died with them and who are connected nowhere else',
    registers,
  })
  const offline = new Counter({
    name: 'qunxin_receivers_offline_total',
    help: 'Receivers of messages who had no connection',
    registers,
  })
  const offlineLetGo = new Counter({
    name: 'qunxin_receivers_offline_let_go_total',
    help: 'Those of them of whom too many waited for their event; they are read back from the log',
    registers,
  })
  const expired = new Counter({
    name: 'qunxin_retention_deleted_total',
    help: 'Messages deleted because they were older than RETENTION_DAYS',
    registers,
  })
  const passes = new Counter({
    name: 'qunxin_retention_passes_total',
    help: 'Passes through all conversations for old messages that came to their end here',
    registers,
  })
  const overloaded = new Counter({
    name: 'qunxin_sends_overloaded_total',
    help: 'Sends refused for a full queue',
    registers,
  })
  const drops = new Counter({
    name: 'qunxin_caches_dropped_total',
    help: 'Times queues and caches were dropped',
    labelNames: ['cause'],
    registers,
  })
  const facts = new Counter({
    name: 'qunxin_events_published_total',
    help: 'Facts about messages the stream of events has confirmed',
    labelNames: ['what'],
    registers,
  })
  const factsLetGo = new Counter({
    name: 'qunxin_events_let_go_total',
    help: 'Facts the stream of events did not take in time; they are read back from the log',
    registers,
  })
  const factsRecovered = new Counter({
    name: 'qunxin_events_recovered_total',
    help: 'Facts published from the log for an instance that died, a new stream, or what was let go',
    registers,
  })
  const { gauge } = readings(registry)
  gauge('qunxin_events_waiting', 'Facts the stream of events has not confirmed yet', () => gauges.events().waiting)
  gauge(
    'qunxin_events_behind_seconds',
    'How long ago the oldest message was stored that may be missing in the stream of events',
    () => gauges.events().behindMs / 1_000,
  )
  gauge('qunxin_sends_waiting', 'Sends taken in and not decided yet', gauges.waiting)
  gauge('qunxin_reads_pending', 'Reads of history, backlogs and ranges under way or waiting', gauges.reads)
  gauge('qunxin_conversations_cached', 'Conversations in memory', gauges.conversations)
  gauge('qunxin_partitions_owned', 'Partitions this process serves', gauges.partitions)
  gauge(
    'qunxin_deliveries_unconfirmed',
    'Deliveries no gateway has confirmed yet',
    () => gauges.unconfirmed().deliveries,
  )
  gauge('qunxin_delivery_bytes_unconfirmed', 'Their bytes', () => gauges.unconfirmed().bytes)
  return {
    committed(count, tookMs) {
      if (count === 0) return
      messages.inc(count)
      batch.observe(count)
      seconds.observe(tookMs / 1_000)
    },
    published(bytes) {
      deliveries.inc()
      deliveredBytes.inc(bytes)
    },
    again: (count) => again.inc(count),
    gaveUp: (count) => gaveUp.inc(count),
    unreached: (users) => unreached.inc(users),
    offline: (users) => offline.inc(users),
    offlineLetGo: (users) => offlineLetGo.inc(users),
    eventsPublished: (what, count) => facts.inc({ what }, count),
    eventsLetGo: (count) => factsLetGo.inc(count),
    eventsRecovered: (count) => factsRecovered.inc(count),
    expired: (count) => expired.inc(count),
    retentionPassed: () => passes.inc(),
    refusedBatch: (sends) => overloaded.inc(sends),
    dropped: (cause) => drops.inc({ cause }),
  }
}
