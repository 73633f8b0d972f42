import { randomBytes } from 'node:crypto'
import { connectBus } from '@qunxin/bus'
import { groupConversation, groupOf, partitionOf } from '@qunxin/contracts'
import {
  createMetrics,
  type DrainPhase,
  drain,
  type Logger,
  type OpsServer,
  Readiness,
  startOpsServer,
  systemClock,
  untilAvailable,
  watchStalls,
} from '@qunxin/runtime'
import type { Config } from './config.ts'
import { createEvents } from './events/create-events.ts'
import { missedBy } from './events/missed-by.ts'
import { OfflineReports } from './events/offline-reports.ts'
import { Absences } from './fanout/absences.ts'
import { createDelivery } from './fanout/delivery.ts'
import { membershipNow } from './fanout/members-now.ts'
import { createReadGates } from './handlers.ts'
import { type ChangeFeed, MembershipCache } from './membership/cache.ts'
import { membershipSource } from './membership/source.ts'
import { serviceMetrics } from './metrics.ts'
import { ConversationCache } from './partition/conversations.ts'
import { LastActivity } from './partition/last-activity.ts'
import { createOwner } from './partition/owner.ts'
import { Ownership } from './partition/ownership.ts'
import { Tenures } from './partition/tenures.ts'
import { MutedUsers } from './preferences/muted-users.ts'
import { Receipts } from './receipts/receipts.ts'
import { Retention } from './retention/retention.ts'
import { serveOperations } from './serving.ts'
import type { MessageLog } from './store/message-log.ts'
import { connectMongo } from './store/mongo.ts'
import { MongoConversations } from './store/mongo-conversations.ts'
import { MongoCursors } from './store/mongo-cursors.ts'
import { MongoFloors } from './store/mongo-floors.ts'
import { MongoLog } from './store/mongo-log.ts'
import { MongoOldMessages } from './store/mongo-old-messages.ts'
import { MongoOverviews } from './store/mongo-overviews.ts'
import { MongoPreferences } from './store/mongo-preferences.ts'
import { MongoTurns } from './store/mongo-turns.ts'
import { partitionsInForce } from './store/settings.ts'

/** What was cached before the event loop stood still so long may be wrong. */
const STALL_LIMIT_MS = 1_000
/** Of the time a stop may take: to end the process itself. */
const SPARE_MS = 1_000

export interface StartOptions {
  logger: Logger
  signal?: AbortSignal
  /** Tests put something between the lanes and the log. */
  wrapLog?: (log: MessageLog) => MessageLog
}

export interface MessageService {
  instance: string
  opsUrl: string
  /** No cache counts any more: the event loop stood still, or NATS was away. */
  dropCaches(cause: 'stall' | 'nats'): void
  stop(): Promise<void>
}

/** Starts in whatever order its servers come up: waits for NATS and MongoDB and says so; sends go on without Redis. */
export async function startMessageService(config: Config, options: StartOptions): Promise<MessageService> {
  const { logger, signal } = options
  const readiness = new Readiness({ nats: 'connecting', mongo: 'connecting', partitions: 'not taken yet' })
  const metrics = createMetrics('message-service')
  const ops = await startOpsServer({ host: config.OPS_HOST, port: config.OPS_PORT, readiness, metrics })
  const phases: DrainPhase[] = []
  /** What is started last is stopped first. */
  const onStop = (name: string, limitMs: number, run: () => Promise<void> | void) =>
    phases.unshift({ name, limitMs, run })
  let stopped: Promise<void> | undefined
  const stop = () => {
    readiness.unmet('draining', 'this process is stopping')
    stopped ??= drain(phases, logger, config.DRAIN_TIMEOUT_MS - SPARE_MS)
    return stopped
  }
  onStop('ops server', 1_000, () => ops.stop())
  try {
    return await assemble(config, { ...options, readiness, metrics, ops, onStop, stop })
  } catch (error) {
    await stop()
    if (!signal?.aborted) logger.error({ err: error }, 'the start failed')
    throw error
  }
}

interface Frame extends StartOptions {
  readiness: Readiness
  metrics: ReturnType<typeof createMetrics>
  ops: OpsServer
  onStop(name: string, limitMs: number, run: () => Promise<void> | void): void
  stop(): Promise<void>
}

async function assemble(config: Config, frame: Frame): Promise<MessageService> {
  const { logger, signal, readiness, ops, onStop, stop } = frame
  const instance = `message-${randomBytes(6).toString('hex')}`
  const mongo = await connectMongo({ url: config.MONGO_URL, database: config.MONGO_DATABASE, logger, signal })
  onStop('MongoDB', 2_000, () => mongo.close())
  readiness.met('mongo')
  mongo.onPrimary((there) => (there ? readiness.met('mongo') : readiness.unmet('mongo', 'no primary')))

  const bus = await connectBus({
    url: config.NATS_URL,
    prefix: config.SUBJECT_PREFIX,
    name: instance,
    inboxPrefix: '_INBOX_message-service',
    logger,
    signal,
  })
  onStop('NATS', 3_000, () => bus.close())
  readiness.met('nats')
  bus.onDisconnect(() => readiness.unmet('nats', 'reconnecting'))
  bus.onReconnect(() => readiness.met('nats'))

  const log = frame.wrapLog?.(new MongoLog(mongo.db)) ?? new MongoLog(mongo.db)
  const cursors = new MongoCursors(mongo.db)
  const rows = new MongoConversations(mongo.db)
  const preferences = new MongoPreferences(mongo.db)

  const gates = createReadGates()
  const counters = serviceMetrics(frame.metrics, {
    reads: () => Object.values(gates).reduce((sum, { size }) => sum + size, 0),
    waiting: () => owner.waiting(),
    conversations: () => conversations.size,
    partitions: () => tenures.size,
    unconfirmed: () => streams.unconfirmed,
    events: () => ({ waiting: events.relay.waiting, behindMs: events.behindMs() }),
  })
  const source = membershipSource(bus)
  const changeFeed: ChangeFeed = {
    since: (group) => owner.partitions.listeningSince(partitionOf(groupConversation(group), config.PARTITIONS)),
    caughtUp: () => bus.flush(),
  }
  const membership = new MembershipCache(source, { mostMembers: config.MEMBERS_CACHED, feed: changeFeed })
  membership.start()
  onStop('membership', 100, () => membership.stop())

  const absences = new Absences({
    groupLimit: config.OFFLINE_EVENTS_GROUP_LIMIT,
    report: (message, users) => reports.report(message, users),
    unknown: (message) => events.relay.doubted(message.at),
  })
  const { streams, gateways, routes, audiences, disconnect, redirected } = createDelivery({
    config,
    bus,
    instance,
    membership,
    unreached: (message, users, members) => {
      counters.unreached(users.length)
      absences.unreached(message, users, members)
    },
    unknown: (message) => events.relay.doubted(message.at),
    lost: (agoMs) => events.relay.doubted(systemClock.now() - agoMs),
    metrics: counters,
    logger,
  })
  onStop('streams', 100, () => streams.stop())
  onStop('presence', 1_000, disconnect)
  onStop('gateways', 100, () => gateways.stop())

  const conversations = new ConversationCache(config.CONVERSATIONS_CACHED)
  const receipts: Receipts = new Receipts({
    log,
    cursors,
    floors: new MongoFloors(mongo.db),
    place: {
      tenure: (conversation) => owner.place.tenure(conversation),
      tell: (pushes) => owner.place.tell(pushes),
    },
    routes,
    newestSeq: (conversation) => conversations.peek(conversation)?.position?.seq,
    membersNow: (conversation) => membershipNow(membership, groupOf(conversation) ?? ''),
    lastMembers: (conversation) => membership.last(groupOf(conversation) ?? ''),
    logger,
  })
  const lastActivity = new LastActivity(rows, logger)
  onStop('hints of lists', 2_000, () => lastActivity.stop())
  onStop('cursors', 3_000, async () => {
    await receipts.flush()
    receipts.stop()
  })

  const events = createEvents({
    config,
    bus,
    db: mongo.db,
    log,
    instance,
    missedBy: missedBy({
      source,
      routes,
      cursors,
      preferences,
      lives: (node) => gateways.live.has(node),
      listeningSince: performance.now(),
      groupLimit: config.OFFLINE_EVENTS_GROUP_LIMIT,
    }),
    untoldSince: () => Math.min(owner.untoldSince(), reports.untoldSince),
    clock: systemClock,
    metrics: counters,
    logger,
  })
  onStop('watermark', 3_000, () => events.stop())
  onStop('events', 5_000, () => events.idle())
  const mutedUsers = new MutedUsers(conversations, preferences)
  const reports = new OfflineReports({
    events: events.relay,
    mutedIn: (conversation) => mutedUsers.of(conversation),
    metrics: counters,
    logger,
  })
  onStop('what is not told by now', 100, () => reports.stop())
  onStop('who is offline', 3_000, async () => {
    await redirected()
    await reports.idle()
  })
  // Longer than it takes to notice that a gateway died.
  onStop('confirmations', 3_000, () => streams.settled())
  onStop('reading back', 2_000, () => events.stopReadingBack())

  const stalls = watchStalls(STALL_LIMIT_MS, () => dropCaches('stall'))
  onStop('stall watch', 100, () => stalls.stop())
  const tenures = new Tenures(systemClock)
  const owner = createOwner(config, {
    instance,
    bus,
    log,
    rows,
    cursors,
    preferences,
    conversations,
    membership,
    routes,
    audiences,
    absences,
    streams,
    events,
    receipts,
    lastActivity,
    tenures,
    clock: systemClock,
    logger,
    metrics: counters,
    noticeStall: () => stalls.check(),
  })
  const ownership = new Ownership({
    bus,
    instance,
    partitions: config.PARTITIONS,
    tenures,
    untoldSince: () => owner.untoldSince(),
    logger,
    own: (partition) => owner.partitions.own(partition),
    take: (partitions) => owner.partitions.take(partitions),
    silence: (partition) => owner.partitions.silence(partition),
    release: (partition) => owner.partitions.release(partition),
  })
  const dropCaches = (cause: 'stall' | 'nats') => {
    logger.warn({ cause }, 'queues and caches dropped: the event loop stood still, or NATS was away')
    counters.dropped(cause)
    ownership.forgive()
    gateways.live.forgive()
    owner.partitions.drop()
    membership.dropAll()
    routes.dropAll()
  }
  bus.onReconnect(() => dropCaches('nats'))

  const settings = () => partitionsInForce(mongo.db, config.PARTITIONS)
  const inForce = await untilAvailable('the settings', settings, { logger, signal })
  if (inForce !== config.PARTITIONS) {
    const why = `PARTITIONS is ${config.PARTITIONS}, but this database was begun with ${inForce}`
    readiness.unmet('partitions', why)
    logger.error(why)
    return { instance, opsUrl: ops.url, dropCaches, stop }
  }
  serveOperations({
    config,
    bus,
    instance,
    log,
    cursors,
    conversations: rows,
    preferences,
    overviews: new MongoOverviews(mongo.db),
    membership: source,
    members: membership,
    routes,
    gates,
  })
  let served: Promise<void> | undefined
  onStop('requests under way', 6_000, () => served)
  onStop('what cannot be finished', 100, () => owner.stop())
  onStop('lanes', 10_000, () => owner.idle())
  onStop('intake', 100, () => owner.partitions.stopIntake())
  onStop('handover', 3_000, () => {
    // Requests go to the other instances from here on.
    served = bus.stopServing()
    return ownership.leave()
  })
  // What is not told of before the partitions have other owners, nobody tells.
  onStop('receipts', 1_000, () => receipts.flush())
  await events.start(signal)
  await ownership.start(signal)
  if (config.RETENTION_DAYS > 0) {
    const retention = new Retention({
      days: config.RETENTION_DAYS,
      instance,
      messages: new MongoOldMessages(mongo.db),
      turns: new MongoTurns(mongo.db),
      waiting: () => owner.waiting(),
      clock: systemClock,
      logger,
      metrics: counters,
    })
    retention.start()
    onStop('retention', 3_000, () => retention.stop())
  }
  readiness.met('partitions')
  logger.info({ opsUrl: ops.url, instance }, 'ready')
  return { instance, opsUrl: ops.url, dropCaches, stop }
}
