import { type Db, MongoClient, MongoServerError } from 'mongodb'
import { SetupError } from '../progress.ts'

export const REPLICA_SET = 'rs0'

const NOT_YET_INITIALIZED = 94

/**
 * Makes the one node primary: initiates a new set, and moves an existing one when the node came back on another port.
 *
 * @returns true once it takes writes, undefined while it does not yet
 */
export async function ensurePrimary(host: string, port: number): Promise<true | undefined> {
  const client = new MongoClient(`mongodb://${host}:${port}/?directConnection=true`, { serverSelectionTimeoutMS: 1000 })
  try {
    await client.connect()
    const admin = client.db('admin')
    const hello = await admin.command({ hello: 1 })
    const address = `${host}:${port}`
    if (hello.isWritablePrimary && hello.me === address) return true
    await configure(admin, address)
    return undefined
  } finally {
    await client.close()
  }
}

async function configure(admin: Db, address: string): Promise<void> {
  const existing = await currentConfig(admin)
  const member = { _id: 0, host: address }
  if (existing === undefined) {
    await admin.command({ replSetInitiate: { _id: REPLICA_SET, members: [member] } })
  } else if (existing.members[0]?.host !== address) {
    const config = { ...existing, version: existing.version + 1, members: [{ ...existing.members[0], host: address }] }
    await admin.command({ replSetReconfig: config, force: true })
  }
}

interface ReplicaSetConfig {
  version: number
  members: { _id: number; host: string }[]
}

async function currentConfig(admin: Db): Promise<ReplicaSetConfig | undefined> {
  try {
    return (await admin.command({ replSetGetConfig: 1 })).config
  } catch (error) {
    if (error instanceof MongoServerError && error.code === NOT_YET_INITIALIZED) return undefined
    throw error
  }
}

/** @throws SetupError when a MongoDB given by URL does not answer or is a single server without replication */
export async function requireReplicaSet(url: string): Promise<void> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5000 })
  try {
    const hello = await client.db('admin').command({ hello: 1 })
    if (hello.setName !== undefined || hello.msg === 'isdbgrid') return
  } catch (error) {
    throw new SetupError(`MONGO_URL does not answer: ${(error as Error).message}`)
  } finally {
    await client.close()
  }
  throw new SetupError(
    'MONGO_URL is a single server. Write concern and transactions need a replica set: start it with --replSet and run rs.initiate().',
  )
}
