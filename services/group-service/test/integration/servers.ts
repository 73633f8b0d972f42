import { randomBytes } from 'node:crypto'
import { type Bus, connectBus, eventsStreamName } from '@qunxin/bus'
import { type GroupId, type MembershipChange, membershipChange } from '@qunxin/contracts'
import { createLogger } from '@qunxin/runtime'
import type { Test } from 'tap'
import { type GroupServiceConfig, readConfig } from '../../src/config.ts'
import { createClient, type Database, openDatabase } from '../../src/store/mongo/database.ts'

export const logger = createLogger('test', process.env.TEST_LOG_LEVEL ?? 'silent')

/** Settings with a database and subjects of their own. */
export function ownConfig(settings: Record<string, string> = {}): GroupServiceConfig {
  const own = `t${randomBytes(5).toString('hex')}`
  return readConfig({
    NATS_URL: process.env.QUNXIN_TEST_NATS_URL,
    MONGO_URL: process.env.QUNXIN_TEST_MONGO_URL,
    MONGO_DATABASE: own,
    SUBJECT_PREFIX: own,
    OPS_HOST: '127.0.0.1',
    OPS_PORT: '0',
    EVENTS_MAX_BYTES: String(16 * 1024 * 1024),
    ...settings,
  })
}

/** The database of a configuration, dropped when the test is over. */
export async function ownDatabase(t: Test, config: GroupServiceConfig): Promise<Database> {
  const client = createClient(config)
  const db = await openDatabase(client, config, { logger })
  t.teardown(async () => {
    await client.db(config.MONGO_DATABASE).dropDatabase()
    await client.close()
  })
  return db
}

/** A bus on the subjects of a configuration; its stream of facts is deleted when the test is over. */
export async function ownBus(t: Test, config: GroupServiceConfig) {
  const bus = await connectBus({
    url: config.NATS_URL,
    name: 'test',
    prefix: config.SUBJECT_PREFIX,
    inboxPrefix: '_INBOX_test',
    logger,
  })
  t.teardown(async () => {
    const manager = await bus.jetstreamManager()
    await manager.streams.delete(eventsStreamName(config.SUBJECT_PREFIX)).catch(() => {})
    await bus.close()
  })
  return bus
}

/**
 * Stands in for message-service: confirms what the owners of groups are told, and keeps it. The newest seq of a group is 0,
 * unless `newest` says otherwise; undefined there confirms nothing.
 */
export async function ownerTold(bus: Bus, newest = new Map<GroupId, number | undefined>()) {
  const told: MembershipChange[] = []
  bus.subscribe('partition.*.membership', (message) => {
    const change = membershipChange.parse(message.json())
    told.push(change)
    const lastSeq = newest.has(change.groupId) ? newest.get(change.groupId) : 0
    if (lastSeq !== undefined) message.respond(JSON.stringify({ lastSeq }))
  })
  await bus.flush()
  return told
}

/** Waits for a state; says what was waited for when it does not come. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 15_000): Promise<void> {
  const deadline = performance.now() + limitMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`did not happen: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
