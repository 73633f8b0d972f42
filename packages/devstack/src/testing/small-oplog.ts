import { freePort } from '../ports.ts'
import { CACHE } from '../repository.ts'
import type { BackingServer } from '../servers/backing-server.ts'
import { startMongo } from '../servers/mongo.ts'

/** A mongod whose oplog forgets after a megabyte, at its next checkpoint, which is soon. */
export async function startMongoWithSmallOplog(dataDir: string): Promise<BackingServer> {
  return startMongo({
    dataDir,
    logDir: dataDir,
    cache: CACHE,
    port: await freePort(),
    durable: false,
    progress: () => {},
    oplogMb: 1,
    checkpointS: 1,
  })
}
