import type { GroupFact, GroupFactData, GroupId, Role, UserId } from '@qunxin/contracts'
import { createMongoClient } from '@qunxin/mongo'
import { type Logger, untilAvailable } from '@qunxin/runtime'
import type { Collection, Db, Document, MongoClient } from 'mongodb'
import type { GroupFields } from '../../domain/group.ts'
import type { Profile } from '../user-store.ts'

export interface GroupDoc extends GroupFields {
  _id: GroupId
  creator: UserId
  createDate: number
  updateDate: number
  memberCount: number
  membersVersion: number
  /** Raised by every change: what a change is conditional on. */
  revision: number
  /** When it was deleted, in milliseconds; the document stays, so that the id is never used again. */
  deleted?: number
  /** Set with `deleted` until its members are removed, too. */
  unswept?: true
}

export interface MemberDoc {
  group: GroupId
  user: UserId
  role: Role
  showName: string
  joinedAt: number
  /** The membersVersion they came with; unset for who came before it was kept. */
  joinedVersion?: number
  /** Set when the owner of the partition has told it. */
  joinedSeq?: number
}

/** A time of being a member that is over. The versions say which changes it begins and ends with. */
export interface PastInterval {
  afterTime: number
  afterVersion?: number
  afterSeq?: number
  toTime: number
  toVersion: number
  toSeq?: number
}

/** When a user was a member of a group before, oldest first. */
export interface IntervalsDoc {
  group: GroupId
  user: UserId
  past: PastInterval[]
}

export interface UserDoc extends Profile {
  _id: UserId
  /** When a profile was last put; a user may be known by a revocation only. */
  putAt?: number
  notBefore?: number
}

export interface OutboxDoc {
  _id: string
  at: number
  what: GroupFact
  data: GroupFactData
  /** Not published yet: the index over it holds nothing else. */
  waiting?: true
  publishedAt?: Date
}

export interface RequestDoc {
  /** `<creator>:<taskId>` */
  _id: string
  groupId: GroupId
  at: Date
}

export interface Collections {
  groups: Collection<GroupDoc>
  members: Collection<MemberDoc>
  intervals: Collection<IntervalsDoc>
  users: Collection<UserDoc>
  outbox: Collection<OutboxDoc>
  requests: Collection<RequestDoc>
}

export interface Database extends Collections {
  client: MongoClient
}

const REQUESTS_KEPT_S = 24 * 60 * 60
/** Longer than a new stream of events reaches back. */
const PUBLISHED_KEPT_S = 15 * 60

export interface DatabaseSettings {
  MONGO_URL: string
  MONGO_DATABASE: string
  MONGO_POOL_SIZE: number
  /** The longest one operation waits for a server, a connection or a majority. */
  MONGO_TIMEOUT_MS: number
}

/** A client that waits a bounded time for everything, writes to a journalled majority and reads what a majority has. */
export function createClient(settings: DatabaseSettings): MongoClient {
  const timeoutMs = settings.MONGO_TIMEOUT_MS
  return createMongoClient(settings.MONGO_URL, {
    appName: 'group-service',
    maxPoolSize: settings.MONGO_POOL_SIZE,
    waitQueueTimeoutMS: timeoutMs,
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    socketTimeoutMS: 2 * timeoutMs,
    heartbeatFrequencyMS: 2_000,
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: timeoutMs },
    readConcern: { level: 'majority' },
    readPreference: 'primary',
    ignoreUndefined: true,
  })
}

/** Connects and makes what indexes are missing, waiting as long as it takes. */
export async function openDatabase(
  client: MongoClient,
  settings: DatabaseSettings,
  options: { logger: Logger; signal?: AbortSignal | undefined },
): Promise<Database> {
  const collections = collectionsOf(client.db(settings.MONGO_DATABASE))
  const server = withoutCredentials(settings.MONGO_URL)
  await untilAvailable(`MongoDB at ${server}`, () => prepare(client, collections), options)
  return { client, ...collections }
}

function collectionsOf(db: Db): Collections {
  return {
    groups: db.collection('groups'),
    members: db.collection('members'),
    intervals: db.collection('intervals'),
    users: db.collection('users'),
    outbox: db.collection('outbox'),
    requests: db.collection('requests'),
  }
}

async function prepare(client: MongoClient, collections: Collections): Promise<void> {
  await client.connect()
  const hello: Document = await client.db('admin').command({ hello: 1 })
  if (!hello.setName && hello.msg !== 'isdbgrid')
    throw new Error('it runs alone, but transactions need a replica set: start mongod with --replSet')
  const { groups, members, intervals, outbox, requests } = collections
  await groups.createIndex({ unswept: 1 }, { sparse: true })
  await members.createIndexes([{ key: { group: 1, user: 1 }, unique: true }, { key: { user: 1, joinedAt: 1 } }])
  await intervals.createIndex({ group: 1, user: 1 }, { unique: true })
  await outbox.createIndexes([
    { key: { waiting: 1, at: 1, _id: 1 }, partialFilterExpression: { waiting: true } },
    { key: { publishedAt: 1 }, expireAfterSeconds: PUBLISHED_KEPT_S },
  ])
  await requests.createIndex({ at: 1 }, { expireAfterSeconds: REQUESTS_KEPT_S })
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//')
}
