import { createMongoClient } from '@qunxin/mongo'
import { type Logger, untilAvailable } from '@qunxin/runtime'
import { type Db, type MongoClient, MongoServerError } from 'mongodb'
import { CHANGES_INDEX, IS_CHANGE } from './overview-parts.ts'

/** How long one command may go unanswered before its connection is given up. */
const SOCKET_TIMEOUT_MS = 10_000

export interface MongoStore {
  db: Db
  client: MongoClient
  /** Calls back whenever the primary goes or comes back. */
  onPrimary(callback: (there: boolean) => void): void
  close(): Promise<void>
}

/** Connects, waiting as long as it takes. Reads are majority reads from the primary, writes majority writes, unless said otherwise. */
export async function connectMongo(options: {
  url: string
  database: string
  logger: Logger
  signal?: AbortSignal | undefined
}): Promise<MongoStore> {
  const client = await untilAvailable('MongoDB', () => connectClient(options.url), options)
  const db = client.db(options.database)
  await untilAvailable('the indexes', () => createIndexes(db), options)
  await untilAvailable('the indexes', () => dropReplaced(db), options)
  return {
    db,
    client,
    onPrimary(callback) {
      client.on('topologyDescriptionChanged', ({ newDescription }) => {
        const servers = [...newDescription.servers.values()]
        callback(servers.some(({ type }) => type === 'RSPrimary' || type === 'Mongos'))
      })
    },
    close: () => client.close(),
  }
}

/** A client whose first connection failed stays closed for ever, so each attempt makes its own. */
async function connectClient(url: string): Promise<MongoClient> {
  const client = createMongoClient(url, {
    appName: 'message-service',
    maxPoolSize: 20,
    waitQueueTimeoutMS: 5_000,
    serverSelectionTimeoutMS: 2_000,
    socketTimeoutMS: SOCKET_TIMEOUT_MS,
    // A change is told at once, and while a command waits for a server the driver looks every 500 ms.
    heartbeatFrequencyMS: 2_000,
    readPreference: 'primary',
    readConcern: { level: 'majority' },
    writeConcern: { w: 'majority' },
    retryWrites: true,
    ignoreUndefined: true,
  })
  try {
    await client.connect()
    await client.db('admin').command({ ping: 1 })
    return client
  } catch (error) {
    await client.close()
    throw error
  }
}

async function createIndexes(db: Db): Promise<void> {
  await db.collection('messages').createIndexes([
    { key: { conversation: 1, from: 1, msgId: 1 }, unique: true },
    // With the author, so that a user's unread messages are counted without reading them.
    { key: { conversation: 1, at: 1, from: 1 } },
    // Of recalls and edits only: a plain message has no key in it.
    { key: { conversation: 1, 'change.seq': 1 }, partialFilterExpression: IS_CHANGE },
    { key: CHANGES_INDEX, partialFilterExpression: IS_CHANGE },
  ])
  // The only one: by another that begins with the conversation the planner would look through a whole group for one member.
  await db.collection('cursors').createIndexes([{ key: { user: 1, conversation: 1 }, unique: true }])
  await db.collection('conversations').createIndexes([{ key: { user: 1, lastAt: -1, conversation: 1 } }])
  await db.collection('preferences').createIndexes([
    { key: { user: 1, peer: 1 }, partialFilterExpression: { blocked: true } },
    { key: { conversation: 1, user: 1 }, partialFilterExpression: { muted: true } },
  ])
}

/** Indexes of earlier versions that have a better one now, with which those versions go on too. */
const REPLACED = [
  { collection: 'messages', index: 'conversation_1_at_1' },
  { collection: 'conversations', index: 'user_1_lastAt_-1' },
  { collection: 'cursors', index: 'conversation_1_readSeq_1' },
  { collection: 'cursors', index: 'conversation_1_deliveredSeq_1' },
]
const INDEX_NOT_FOUND = 27

/** Only what is there: to drop one that is not shuts everybody out of the collection all the same, for as long as somebody is in it. */
async function dropReplaced(db: Db): Promise<void> {
  for (const { collection, index } of REPLACED) {
    if (!(await db.collection(collection).indexExists(index))) continue
    await db
      .collection(collection)
      .dropIndex(index)
      .catch((error: unknown) => {
        if (!(error instanceof MongoServerError) || error.code !== INDEX_NOT_FOUND) throw error
      })
  }
}
