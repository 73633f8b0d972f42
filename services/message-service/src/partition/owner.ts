import { setTimeout as delay } from 'node:timers/promises'
import type { Bus } from '@qunxin/bus'
import { partitionOf, type SendBatch } from '@qunxin/contracts'
import type { Clock, Logger } from '@qunxin/runtime'
import type { Config } from '../config.ts'
import type { Events } from '../events/create-events.ts'
import type { Absences } from '../fanout/absences.ts'
import type { Audiences } from '../fanout/audiences.ts'
import type { Publication } from '../fanout/compose.ts'
import { DeliveryWriter } from '../fanout/delivery-writer.ts'
import { Fanout } from '../fanout/fanout.ts'
import { membersNow } from '../fanout/members-now.ts'
import type { NodeStreams } from '../fanout/node-streams.ts'
import type { Routes } from '../fanout/routes.ts'
import type { MembershipCache } from '../membership/cache.ts'
import { changeMembership } from '../membership/change.ts'
import { Newcomers } from '../membership/newcomers.ts'
import type { ServiceMetrics } from '../metrics.ts'
import { changePreference } from '../preferences/change.ts'
import { PairPreferences } from '../preferences/pair-preferences.ts'
import { Typing } from '../presence/typing.ts'
import type { Place, StatePush } from '../receipts/place.ts'
import type { Receipts } from '../receipts/receipts.ts'
import type { Conversations } from '../store/conversations.ts'
import type { Cursors } from '../store/cursors.ts'
import type { MessageLog } from '../store/message-log.ts'
import type { Preferences } from '../store/preferences.ts'
import type { ConversationCache } from './conversations.ts'
import { Lane } from './lane.ts'
import type { LastActivity } from './last-activity.ts'
import { Partitions } from './partitions.ts'
import type { Tenures } from './tenures.ts'

export interface OwnerParts {
  instance: string
  bus: Bus
  log: MessageLog
  rows: Conversations
  cursors: Cursors
  preferences: Preferences
  conversations: ConversationCache
  membership: MembershipCache
  routes: Pick<Routes, 'nodesOf'>
  audiences: Pick<Audiences, 'of'>
  absences: Absences
  streams: NodeStreams
  events: Pick<Events, 'relay' | 'standing'>
  receipts: Receipts
  lastActivity: Pick<LastActivity, 'stored'>
  tenures: Tenures
  clock: Clock
  logger: Logger
  metrics: ServiceMetrics
  /** Drops every cache when the event loop has stood still. */
  noticeStall(): void
}

/** The lanes of this process, each with its fan-out, and the partitions that feed them. */
export function createOwner(config: Config, parts: OwnerParts) {
  const { instance, bus, log, rows, conversations, membership, routes, audiences, absences, streams, logger, metrics } =
    parts
  const pairPreferences = new PairPreferences(parts.preferences)
  const newcomers = new Newcomers(membership)
  const connected = async () => {
    while (!bus.writable) await delay(50)
    // Woken up by the answer to a commit: nobody's devices are any more where they were.
    parts.noticeStall()
  }
  const publish = (publication: Publication) => {
    if ('reply' in publication) bus.nats.publish(publication.reply, publication.payload)
    else streams.publish(publication.node, publication.payload)
  }
  const fanouts = Array.from(
    { length: config.LANES },
    () =>
      new Fanout({
        instance,
        routes,
        audiences,
        membersNow: (group) => membersNow(membership, group),
        behind: (group, seq) => newcomers.behind(group, seq),
        mayRead: (group, seq, user) => newcomers.mayRead(group, seq, user),
        connected,
        publish,
        absences,
        logger,
      }),
  )
  const typing = fanouts.map(
    (fanout) =>
      new Typing({
        fanout,
        membership,
        preferencesOf: (conversation) => pairPreferences.of(conversation),
      }),
  )
  const lanes = fanouts.map(
    (fanout) =>
      new Lane({
        log,
        conversations: rows,
        membership,
        fanout,
        preferences: pairPreferences,
        ownedSince: (partition) => partitions.listeningSince(partition),
        tenures: parts.tenures,
        limits: { textLength: config.TEXT_LIMIT_UNITS },
        stored: (messages) => {
          parts.receipts.stored(messages)
          parts.lastActivity.stored(messages)
        },
        clock: parts.clock,
        logger,
        metrics,
        events: parts.events.relay,
        standing: () => parts.events.standing(),
        beforeCommit: parts.noticeStall,
      }),
  )
  const fanoutOf = (lane: Lane) => fanouts[lanes.indexOf(lane)] as Fanout
  const refuse = (batch: SendBatch, reply: string | undefined) => {
    metrics.refusedBatch(batch.sends.length)
    const answers = batch.sends.map(({ id }) => ({ id, code: 'UNAVAILABLE' as const }))
    if (reply !== undefined) return publish({ reply, payload: JSON.stringify(answers) })
    const writer = new DeliveryWriter(instance)
    for (const answer of answers) writer.answer(answer)
    for (const payload of writer.finish()) publish({ node: batch.node, payload })
  }
  const partitions: Partitions = new Partitions({
    bus,
    lanes,
    conversations,
    queueLimit: { sends: config.QUEUE_LIMIT, bytes: config.QUEUE_LIMIT_BYTES },
    refuse,
    changeMembership: (change, lane, partition) => {
      parts.noticeStall()
      const { cursors, receipts } = parts
      const options = { membership, newcomers, log, conversations, cursors, receipts }
      return changeMembership(options, change, { lane, fanout: fanoutOf(lane), partition })
    },
    typing: (notice, lane) => typing[lanes.indexOf(lane)]?.take(notice),
    changePreference: (change, lane, partition) => {
      parts.noticeStall()
      const options = { preferences: parts.preferences, conversations, caughtUp: () => bus.flush() }
      return changePreference(options, change, {
        lane,
        fanout: fanoutOf(lane),
        ownedSince: () => partitions.listeningSince(partition),
      })
    },
    receive: ({ receipts, node }) => parts.receipts.take(receipts, node),
    logger,
  })
  return {
    partitions,
    place: {
      tenure: (conversation) => {
        parts.noticeStall()
        return partitions.listeningSince(partitionOf(conversation, config.PARTITIONS))
      },
      tell: async (pushes) => {
        const laneOf = ({ conversation }: StatePush) => partitions.laneOf(partitionOf(conversation, config.PARTITIONS))
        const told = [...Map.groupBy(pushes, laneOf)].map(([lane, some]) => {
          const fanout = fanoutOf(lane)
          fanout.push(some.map((push) => ({ push })))
          return fanout.out()
        })
        await Promise.all(told)
      },
    } satisfies Place,
    waiting: () => lanes.reduce((sum, lane) => sum + lane.waiting.sends, 0),
    untoldSince: () => Math.min(...lanes.map((lane) => lane.untoldSince)),
    idle: async () => {
      await Promise.all(lanes.map((lane) => lane.idle()))
    },
    /** Ends what waits for a server that does not answer. */
    stop: () => {
      for (const lane of lanes) lane.stop()
      partitions.drop()
    },
  }
}
