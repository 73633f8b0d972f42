import { randomBytes } from 'node:crypto'
import { type AnyHandler, connectBus } from '@qunxin/bus'
import type { OperationName } from '@qunxin/contracts'
import {
  type Clock,
  createMetrics,
  type DrainPhase,
  drain,
  type Logger,
  Readiness,
  type Running,
  startOpsServer,
  systemClock,
} from '@qunxin/runtime'
import type { GroupServiceConfig } from './config.ts'
import { busGateways } from './gateways.ts'
import { newGroupId } from './group-id.ts'
import { createHandlers } from './handlers.ts'
import { startPublishing } from './outbox/publishing.ts'
import { busOwners } from './owners.ts'
import { startRounds } from './rounds.ts'
import { createClient, openDatabase } from './store/mongo/database.ts'
import { storeFault } from './store/mongo/faults.ts'
import { MongoGroupStore } from './store/mongo/mongo-group-store.ts'
import { MongoUserStore } from './store/mongo/mongo-user-store.ts'
import { sweepDeletedGroups } from './store/mongo/sweep-deleted.ts'
import { watchPrimary } from './store/mongo/watch-primary.ts'
import { watchPartitions } from './watch-partitions.ts'

const QUEUE = 'group-service'
const SWEEP_EVERY_MS = 60_000
/** Of the time a stop may take: to end the process itself. */
const SPARE_MS = 1_000

export interface GroupService extends Running {
  opsUrl: string
}

/** Resolves when it serves; waits for NATS and MongoDB as long as it takes. */
export async function startGroupService(
  config: GroupServiceConfig,
  options: { logger: Logger; signal?: AbortSignal; clock?: Clock },
): Promise<GroupService> {
  const { logger, signal, clock = systemClock } = options
  let stopped: Promise<void> | undefined
  // Undone from the last to the first, in a stop as well as when a later step of the start fails.
  const phases: DrainPhase[] = []
  const undo = (name: string, run: DrainPhase['run'], limitMs = 2_000) => phases.unshift({ name, limitMs, run })

  try {
    const readiness = new Readiness({ nats: 'not connected yet', mongo: 'not connected yet' })
    const ops = await startOpsServer({
      host: config.OPS_HOST,
      port: config.OPS_PORT,
      readiness,
      metrics: createMetrics('group-service'),
    })
    undo('ops', () => ops.stop())

    const bus = await connectBus({
      url: config.NATS_URL,
      name: `group-service ${randomBytes(4).toString('hex')}`,
      prefix: config.SUBJECT_PREFIX,
      inboxPrefix: '_INBOX_group-service',
      logger,
      signal,
    })
    undo('bus', () => bus.close())
    bus.onDisconnect(() => readiness.unmet('nats', 'connection lost'))
    bus.onReconnect(() => readiness.met('nats'))
    readiness.met('nats')
    const partitions = watchPartitions(bus, { partitions: config.PARTITIONS, readiness, logger })
    undo('partitions', () => partitions.stop())

    const client = createClient(config)
    undo('mongo', () => client.close())
    const db = await openDatabase(client, config, { logger, signal })
    watchPrimary(client, (writable) => {
      if (writable) readiness.met('mongo')
      else readiness.unmet('mongo', 'no primary')
    })
    readiness.met('mongo')

    const sweeping = startRounds(() => sweepDeletedGroups(db), {
      name: 'removing the members of deleted groups',
      everyMs: SWEEP_EVERY_MS,
      logger,
    })
    undo('sweeping', () => sweeping.stop())
    const relaying = startPublishing(bus, { config, db, everyMs: config.OUTBOX_POLL_MS, logger })
    undo('outbox', () => relaying.stop(), 5_000)

    const handlers = createHandlers({
      store: new MongoGroupStore(db, {
        limitMs: config.MONGO_TIMEOUT_MS,
        onCommit: ({ deleted }) => {
          relaying.wake()
          if (deleted) sweeping.wake()
        },
        onSeqLost: (groupId, error) =>
          logger.warn({ err: error, groupId }, 'where a change of membership stands in the log is not stored'),
      }),
      users: new MongoUserStore(db),
      owners: busOwners(bus, { partitions: config.PARTITIONS, timeoutMs: config.OWNER_TIMEOUT_MS, logger }),
      gateways: busGateways(bus),
      clock,
      newGroupId,
      membersMax: config.GROUP_MEMBERS_MAX,
    })
    bus.serve(tellingFaults(handlers), QUEUE)
    undo('serving', () => bus.stopServing(), 8_000)
    await bus.flush()

    logger.info({ opsUrl: ops.url }, 'ready')
    return {
      opsUrl: ops.url,
      stop() {
        readiness.unmet('draining', 'this process is stopping')
        stopped ??= drain(phases, logger, config.DRAIN_TIMEOUT_MS - SPARE_MS)
        return stopped
      },
    }
  } catch (error) {
    await drain(phases, logger)
    throw error
  }
}

/** MongoDB being away is told as UNAVAILABLE, whichever handler met it. */
function tellingFaults(
  handlers: Partial<Record<OperationName, AnyHandler>>,
): Partial<Record<OperationName, AnyHandler>> {
  const wrapped = Object.entries(handlers).map(([name, handler]) => {
    const telling: AnyHandler = async (input, context) => {
      try {
        return await handler(input, context)
      } catch (error) {
        throw storeFault(error)
      }
    }
    return [name, telling]
  })
  return Object.fromEntries(wrapped)
}
