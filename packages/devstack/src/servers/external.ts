import type { BackingServer } from './backing-server.ts'
import { requireReplicaSet } from './replica-set.ts'

const SETTINGS = { 'nats-server': 'NATS_URL', mongod: 'MONGO_URL', 'redis-server': 'REDIS_URL' } as const

/** The server an URL in the environment names, which we neither start nor stop. */
export async function externalServer(
  name: BackingServer['name'],
  env: Record<string, string | undefined>,
): Promise<BackingServer | undefined> {
  const url = env[SETTINGS[name]]
  if (url === undefined || url === '') return undefined
  if (name === 'mongod') await requireReplicaSet(url)
  return { name, pid: 0, url, origin: SETTINGS[name], stop: async () => {} }
}
