import { setTimeout as delay } from 'node:timers/promises'
import type { Bus } from '@qunxin/bus'
import { type SendBatch, subjects } from '@qunxin/contracts'
import type { Clock, Logger } from '@qunxin/runtime'
import type { Config } from '../config.ts'
import type { Publication } from '../fanout/compose.ts'
import { Fanout } from '../fanout/fanout.ts'
import { membersNow } from '../fanout/members-now.ts'
import type { Routes } from '../fanout/routes.ts'
import { DeliveryStream } from '../fanout/stream.ts'
import type { MembershipCache } from '../membership/cache.ts'
import { changeMembership } from '../membership/change.ts'
import type { ServiceMetrics } from '../metrics.ts'
import type { Receipts } from '../receipts.ts'
import type { Conversations } from '../store/conversations.ts'
import type { Cursors } from '../store/cursors.ts'
import type { MessageLog } from '../store/message-log.ts'
import type { ConversationCache } from './conversations.ts'
import { Lane } from './lane.ts'
import { Partitions } from './partitions.ts'
import { MOST_YOUNG, YOUNG_MS } from './preparation.ts'

export interface OwnerParts {
  instance: string
  bus: Bus
  log: MessageLog
  rows: Conversations
  cursors: Cursors
  conversations: ConversationCache
  membership: MembershipCache
  routes: Routes
  receipts: Receipts
  clock: Clock
  logger: Logger
  metrics: ServiceMetrics
  beforeCommit(): void
}

/** The lanes of this process, each with its fan-out, and the partitions that feed them. */
export function createOwner(config: Config, parts: OwnerParts) {
  const { instance, bus, log, rows, conversations, membership, routes, logger, metrics } = parts
  const connected = async () => {
    while (!bus.writable) await delay(50)
  }
  const publish = (publication: Publication) => {
    if ('reply' in publication) bus.nats.publish(publication.reply, publication.payload)
    else {
      bus.publish(publication.subject, publication.payload)
      metrics.published(publication.payload.length)
    }
  }
  const fanouts = Array.from(
    { length: config.LANES },
    () =>
      new Fanout({
        instance,
        routes,
        membersNow: (group) => membersNow(membership, group),
        connected,
        publish,
        shortlyBefore: ({ conversation, seq, at }) =>
          log.newest(conversation, { toSeq: seq - 1, afterTime: at - YOUNG_MS, limit: MOST_YOUNG }),
        logger,
      }),
  )
  const lanes = fanouts.map(
    (fanout) =>
      new Lane({
        log,
        conversations: rows,
        membership,
        fanout,
        limits: { textLength: config.TEXT_LIMIT_UNITS },
        clock: parts.clock,
        logger,
        metrics,
        beforeCommit: parts.beforeCommit,
      }),
  )
  const refuse = (batch: SendBatch, reply: string | undefined) => {
    metrics.refusedBatch(batch.sends.length)
    const answers = batch.sends.map(({ id }) => ({ id, code: 'UNAVAILABLE' as const }))
    if (reply !== undefined) return publish({ reply, payload: JSON.stringify(answers) })
    const stream = new DeliveryStream(instance)
    for (const answer of answers) stream.answer(answer)
    for (const payload of stream.finish()) publish({ subject: subjects.gatewayDeliver(batch.node), payload })
  }
  const partitions = new Partitions({
    bus,
    lanes,
    conversations,
    queueLimit: { sends: config.QUEUE_LIMIT, bytes: config.QUEUE_LIMIT_BYTES },
    refuse,
    changeMembership: (change, lane, partition) => {
      const fanout = fanouts[lanes.indexOf(lane)] as Fanout
      return changeMembership({ membership, conversations, cursors: parts.cursors }, change, {
        lane,
        fanout,
        partition,
      })
    },
    receive: (receipts) => parts.receipts.take(receipts),
    logger,
  })
  return {
    partitions,
    waiting: () => lanes.reduce((sum, lane) => sum + lane.waiting.sends, 0),
    idle: async () => {
      await Promise.all(lanes.map((lane) => lane.idle()))
    },
    /** What was published last may be lost. */
    lost: () => {
      for (const fanout of fanouts) fanout.lost()
    },
    /** Ends what waits for a server that does not answer. */
    stop: () => {
      for (const lane of lanes) lane.stop()
      partitions.drop()
    },
  }
}
