import { MongoClient, type MongoClientOptions } from 'mongodb'
import { endWritesOfClosedConnections } from './closed-connections.ts'

/** The one way to a client of MongoDB: each of its commands ends, at the latest when its connection does. */
export function createMongoClient(url: string, options: MongoClientOptions): MongoClient {
  endWritesOfClosedConnections()
  return new MongoClient(url, options)
}
