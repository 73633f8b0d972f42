import { randomBytes } from 'node:crypto'
import { type Bus, connectBus, eventsStreamName } from '@qunxin/bus'
import {
  decodeDelivery,
  type FrameItem,
  groupConversation,
  type MembershipChangeInput,
  type MembershipInterval,
  partitionOf,
  personalConversation,
  type SendAnswer,
  type SendEntry,
  subjects,
} from '@qunxin/contracts'
import { AppError, createLogger, loadConfig } from '@qunxin/runtime'
import { MongoClient } from 'mongodb'
import type { Message } from '../../src/domain/message.ts'
import { configSchema, startMessageService } from '../../src/index.ts'
import type { StartOptions } from '../../src/service.ts'
import type { MessageLog } from '../../src/store/message-log.ts'

const env = (name: string) => {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set`)
  return value
}
const natsUrl = env('QUNXIN_TEST_NATS_URL')
export const mongoUrl = env('QUNXIN_TEST_MONGO_URL')
const redisUrl = env('QUNXIN_TEST_REDIS_URL')
export const logger = createLogger('test', process.env.TEST_LOG_LEVEL ?? 'silent')

export const PARTITIONS = 8

/** A name of its own for everything a test file leaves behind, and the end of it. */
export async function world() {
  const name = `t${randomBytes(5).toString('hex')}`
  const client = new MongoClient(mongoUrl)
  const db = client.db(name)
  const buses: Bus[] = []
  const connect = async (who: string, prefix = name) => {
    const bus = await connectBus({ url: natsUrl, prefix, name: who, inboxPrefix: `_INBOX_${who}`, logger })
    buses.push(bus)
    return bus
  }
  const services: Awaited<ReturnType<typeof startMessageService>>[] = []
  const environment = {
    NATS_URL: natsUrl,
    MONGO_URL: mongoUrl,
    MONGO_DATABASE: name,
    REDIS_URL: redisUrl,
    REDIS_PREFIX: `${name}:`,
    SUBJECT_PREFIX: name,
    OPS_PORT: '0',
    OPS_HOST: '127.0.0.1',
    PARTITIONS: String(PARTITIONS),
    EVENTS_MAX_BYTES: String(64 * 1024 * 1024),
    LOG_LEVEL: 'info',
  }
  const start = async (settings: Record<string, string> = {}, options: Partial<StartOptions> = {}) => {
    const config = loadConfig(configSchema, { ...environment, ...settings })
    const service = await startMessageService(config, { logger, ...options })
    services.push(service)
    return service
  }
  return {
    name,
    db,
    environment,
    connect,
    start,
    async end() {
      await Promise.all(services.map((service) => service.stop()))
      const bus = await connect('operator')
      const { streams } = await bus.jetstreamManager()
      await streams.delete(eventsStreamName(name)).catch(() => {})
      await Promise.all(buses.map((bus) => bus.close()))
      await db.dropDatabase()
      await client.close()
    },
  }
}

export interface Seen {
  item: FrameItem
  // biome-ignore lint/suspicious/noExplicitAny: the tests look into whatever was sent
  frame: { tag: string; data: any }
}

/** A gateway as far as message-service sees one: announces itself, publishes batches, takes deliveries. */
export async function fakeGateway(bus: Bus, node: string, { repeatMs = 2_000 } = {}) {
  const seen: Seen[] = []
  /** Sizes of the deliveries, and what each carried. */
  const deliveries: { bytes: number; kinds: string[] }[] = []
  /** Instances that have given up something unconfirmed. */
  const givenUp: string[] = []
  const answers = new Map<number, SendAnswer>()
  const waiting = new Map<number, (answer: SendAnswer) => void>()
  let nextId = 1
  let nextBatch = 1
  /** How much of each instance's deliveries was taken. */
  const taken = new Map<string, number>()
  let confirming = true
  let taking = true
  const confirm = (instance: string, again: boolean) => {
    if (!confirming || !bus.connected) return
    const confirmed = taken.get(instance) ?? 0
    bus.publish(subjects.messageConfirm(instance), JSON.stringify({ node, confirmed, again }))
  }
  bus.subscribe(subjects.gatewayDeliver(node), ({ data }) => {
    if (!taking) return
    const { place, delivery, bodies } = decodeDelivery(data)
    const { from } = delivery
    if (place.oldest > (taken.get(from) ?? 0) + 1) {
      givenUp.push(from)
      taken.set(from, place.oldest - 1)
    }
    const last = taken.get(from) ?? 0
    if (delivery.items.length === 0 || place.number !== last + 1) return confirm(from, place.number > last)
    taken.set(from, place.number)
    confirm(from, false)
    deliveries.push({ bytes: data.length, kinds: delivery.items.map(({ kind }) => kind) })
    let body = 0
    for (const item of delivery.items) {
      if (item.kind === 'frame') seen.push({ item, frame: JSON.parse(Buffer.from(bodies[body++]!).toString()) })
      else {
        answers.set(item.answer.id, item.answer)
        waiting.get(item.answer.id)?.(item.answer)
      }
    }
  })
  const announce = () => bus.connected && bus.publish(subjects.gatewayInstances, JSON.stringify({ node }))
  announce()
  const timer = setInterval(announce, 300)
  timer.unref()
  await bus.flush()

  const publish = (sends: SendEntry[], options: { batch?: number } = {}) => {
    const byPartition = Map.groupBy(sends, ({ conversation }) => partitionOf(conversation, PARTITIONS))
    for (const [partition, some] of byPartition) {
      const batch = options.batch ?? nextBatch
      nextBatch = Math.max(nextBatch, batch) + 1
      bus.publish(subjects.partitionSend(partition), JSON.stringify({ node, batch, sends: some }))
    }
  }
  const answer = (id: number) =>
    new Promise<SendAnswer>((resolve) => {
      const there = answers.get(id)
      if (there) resolve(there)
      else waiting.set(id, resolve)
    })
  return {
    node,
    seen,
    deliveries,
    answers,
    publish,
    answer,
    entry(from: string, to: { user: string } | { group: string }, fields: Partial<SendEntry> = {}): SendEntry {
      const id = nextId++
      const place =
        'user' in to
          ? { conversation: personalConversation(from, to.user), to: to.user }
          : { conversation: groupConversation(to.group), group: to.group }
      return {
        id,
        conn: `conn-${from}`,
        from,
        msgId: `m-${node}-${id}`,
        type: 1,
        text: `text ${id}`,
        ...place,
        ...fields,
      }
    },
    /** Publishes as one batch a partition, as often as it takes, and waits for all the answers. */
    async send(...sends: SendEntry[]): Promise<SendAnswer[]> {
      publish(sends)
      const unanswered = () => sends.filter(({ id }) => !answers.has(id))
      const repeat = setInterval(() => publish(unanswered()), repeatMs)
      try {
        return await Promise.all(sends.map(({ id }) => answer(id)))
      } finally {
        clearInterval(repeat)
      }
    },
    receive: (conversation: string, receipts: { user: string; conversation: string; delivered: number }[]) =>
      bus.publish(subjects.partitionReceipt(partitionOf(conversation, PARTITIONS)), JSON.stringify({ receipts })),
    messages: (conversation: string) =>
      seen.filter(({ item, frame }) => frame.tag === 'message' && item.conversation === conversation),
    changes: (conversation: string) =>
      seen.filter(({ item, frame }) => frame.tag === 'messageChanged' && item.conversation === conversation),
    givenUp,
    /** Whether it says what it has taken. */
    confirms(does: boolean) {
      confirming = does
    },
    /** Whether deliveries reach it. */
    takes(does: boolean) {
      taking = does
    },
    leave() {
      clearInterval(timer)
      bus.publish(subjects.gatewayInstances, JSON.stringify({ node, leaving: true }))
    },
    flush: () => bus.flush(),
    /** It says no more that it lives. */
    stop: () => clearInterval(timer),
  }
}

/** group-service as far as message-service asks it; `change` also tells the owner, as the real one does. */
export function fakeGroups(bus: Bus) {
  interface FakeGroup {
    version: number
    members: Map<string, number>
    admins: Set<string>
    /** As the owner confirmed it. */
    joinedSeq: Map<string, number>
    slowModeMs: number
    history?: 'joined'
  }
  const groups = new Map<string, FakeGroup>()
  /** What else is told of a membership, by `<group>/<user>`. */
  const memberships = new Map<string, { joinedSeq?: number; visible?: MembershipInterval[] }>()
  const calls = { membersOf: 0, versionsOf: 0 }
  /** Awaited before an answer leaves, after it was read. */
  const hooks: { membersOf?: () => Promise<void>; versionsOf?: () => Promise<void> } = {}
  const find = (groupId: string) => {
    const group = groups.get(groupId)
    if (!group) throw new AppError('GROUP_NOT_FOUND')
    return group
  }
  bus.serve(
    {
      'group.membersOf': async ({ groupId }: { groupId: string }) => {
        calls.membersOf += 1
        const { version, members, admins, joinedSeq, slowModeMs, history } = find(groupId)
        const role = (userId: string) => (admins.has(userId) ? 'admin' : 'member')
        const reply = {
          version,
          members: [...members.keys()].map((userId) => ({
            userId,
            role: role(userId),
            ...(joinedSeq.has(userId) && { joinedSeq: joinedSeq.get(userId) }),
          })),
          ...(slowModeMs > 0 && { slowModeMs }),
          ...(history && { history }),
        }
        await hooks.membersOf?.()
        return reply
      },
      'group.versionsOf': async ({ groupIds }: { groupIds: string[] }) => {
        calls.versionsOf += 1
        const reply = { versions: groupIds.map((id) => groups.get(id)?.version ?? 0) }
        await hooks.versionsOf?.()
        return reply
      },
      'group.memberOf': ({ groupId, userId }: { groupId: string; userId: string }) => {
        const joinedAt = find(groupId).members.get(userId)
        if (joinedAt === undefined) throw new AppError('NOT_A_MEMBER')
        return { joinedAt, role: 'member', ...memberships.get(`${groupId}/${userId}`) }
      },
      'group.membershipsOf': ({ userId }: { userId: string }) => ({
        memberships: [...groups].flatMap(([groupId, { members }]) => {
          const joinedAt = members.get(userId)
          return joinedAt === undefined ? [] : [{ groupId, joinedAt, ...memberships.get(`${groupId}/${userId}`) }]
        }),
      }),
    },
    'group-service',
  )
  return {
    groups,
    memberships,
    calls,
    hooks,
    create(groupId: string, ...members: string[]) {
      const now = Date.now()
      const joined = new Map(members.map((member) => [member, now] as const))
      groups.set(groupId, { version: 1, members: joined, admins: new Set(), joinedSeq: new Map(), slowModeMs: 0 })
      return groupId
    },
    /** Changes the stored membership, and nothing else. */
    store(
      groupId: string,
      change: { added?: string[]; removed?: string[]; admins?: string[]; slowModeMs?: number; history?: 'joined' },
    ) {
      const group = find(groupId)
      if (change.history) group.history = change.history
      if (change.admins) group.admins = new Set(change.admins)
      group.slowModeMs = change.slowModeMs ?? group.slowModeMs
      for (const user of change.removed ?? []) group.members.delete(user)
      for (const user of change.added ?? []) group.members.set(user, Date.now())
      group.version += 1
      return group.version
    },
    /** Tells the owner; resolves with its confirmation. */
    async tell(change: MembershipChangeInput, timeoutMs = 5_000): Promise<{ lastSeq: number }> {
      const partition = partitionOf(groupConversation(change.groupId), PARTITIONS)
      const reply = await bus.ask(subjects.partitionMembership(partition), JSON.stringify(change), { timeoutMs })
      const applied = JSON.parse(Buffer.from(reply).toString())
      for (const user of change.removed ?? []) groups.get(change.groupId)?.joinedSeq.delete(user)
      for (const user of change.added ?? []) groups.get(change.groupId)?.joinedSeq.set(user, applied.lastSeq)
      return applied
    },
    delete: (groupId: string) => groups.delete(groupId),
  }
}

export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  patienceMs = 15_000,
): Promise<T> {
  const until = performance.now() + patienceMs
  for (;;) {
    const found = await look()
    if (found) return found
    if (performance.now() > until) throw new Error(`never happened: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** The log with hooks around its writes, and a list of what was asked of it. */
export function tappedLog() {
  const calls: string[] = []
  const hooks: {
    beforeAppend?: (messages: readonly Message[]) => Promise<void>
    afterAppend?: (messages: readonly Message[]) => Promise<void>
    beforeRead?: () => Promise<void>
    beforeChanges?: (changes: readonly Message[]) => Promise<void>
  } = {}
  const wrapLog = (log: MessageLog): MessageLog => ({
    append: async (messages) => {
      calls.push('append')
      await hooks.beforeAppend?.(messages)
      const appended = await log.append(messages)
      calls.push(`appended ${appended.stored}/${messages.length}`)
      await hooks.afterAppend?.(messages)
      return appended
    },
    tail: (conversation, limit) => {
      calls.push('tail')
      return log.tail(conversation, limit)
    },
    tails: (conversations, limit) => {
      calls.push(...conversations.map(() => 'tail'))
      return log.tails(conversations, limit)
    },
    stored: (messages) => log.stored(messages),
    originals: (keys) => log.originals(keys),
    applyChanges: async (changes) => {
      calls.push('changes')
      await hooks.beforeChanges?.(changes)
      return log.applyChanges(changes)
    },
    after: (conversation, time, limit) => log.after(conversation, time, limit),
    oldest: async (conversation, range) => {
      await hooks.beforeRead?.()
      return log.oldest(conversation, range)
    },
    newest: (conversation, range) => log.newest(conversation, range),
    seqsAt: (points) => log.seqsAt(points),
    lastBySender: (conversation, time) => log.lastBySender(conversation, time),
    authors: (conversation, fromSeq, toSeq) => log.authors(conversation, fromSeq, toSeq),
    heads: (conversations) => log.heads(conversations),
  })
  /** The next write waits until it is released; `reached` resolves when it has begun to wait. */
  const stallNextAppend = () => {
    const reached = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    hooks.beforeAppend = async () => {
      delete hooks.beforeAppend
      reached.resolve()
      await released.promise
    }
    return { reached: reached.promise, release: () => released.resolve() }
  }
  return { calls, hooks, stallNextAppend, wrapLog }
}

/** How many partitions a process says it serves. */
export async function ownedBy(opsUrl: string): Promise<number> {
  const metrics = await (await fetch(`${opsUrl}/metrics`)).text()
  return Number(metrics.match(/^qunxin_partitions_owned\{.*\} (\d+)$/m)?.[1])
}
