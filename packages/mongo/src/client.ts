import { MongoClient, type MongoClientOptions } from 'mongodb'
import { endWritesOfClosedConnections } from './closed-connections.ts'

/** How often a pool looks for idle connections that have become useless; one that is to be used is looked at then, too. */
const POOL_LOOK_EVERY_MS = 1_000

/** The one way to a client of MongoDB: each of its commands ends, at the latest when its connection does. */
export function createMongoClient(url: string, options: MongoClientOptions): MongoClient {
  endWritesOfClosedConnections()
  const client = new MongoClient(url, options)
  // The driver's own 100 ms wake an idle process; it has an option for it, which its constructor does not let through.
  Object.assign(client.options, { minPoolSizeCheckFrequencyMS: POOL_LOOK_EVERY_MS })
  return client
}
