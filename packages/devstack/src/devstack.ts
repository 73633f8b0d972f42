import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Progress } from './progress.ts'
import { rememberedPorts, type ServerPorts } from './remembered-ports.ts'
import { CACHE } from './repository.ts'
import type { BackingServer, ServerOptions } from './servers/backing-server.ts'
import { dockerAnswers, startMongoContainer, startNatsContainer, startRedisContainer } from './servers/docker.ts'
import { externalServer } from './servers/external.ts'
import { startMongo } from './servers/mongo.ts'
import { type NatsUser, newPasswords, startNats, urlFor } from './servers/nats.ts'
import { startRedis } from './servers/redis.ts'

export interface DevstackOptions {
  /** Data and logs of the servers; made when it is not there. */
  dataDir: string
  progress?: Progress
  /** NATS_URL, MONGO_URL and REDIS_URL are taken from here; DEVSTACK_DOCKER=off leaves Docker alone. */
  env?: Record<string, string | undefined>
  /** False when nothing needs to outlive this run. */
  durable?: boolean
  cache?: string
  /** Called when a server's process changed. */
  onChange?: () => void
  /** The longest pause before a server that ended is started again. */
  restartWithinMs?: number
  /** Gives up a start that is under way. */
  signal?: AbortSignal
}

export interface Devstack {
  /** With the credentials of one user of deploy/nats; a server given by NATS_URL is used with what that URL says. */
  natsUrl(user: NatsUser): string
  mongoUrl: string
  redisUrl: string
  /** pid 0 for servers that are not our processes. */
  readonly processes: { name: BackingServer['name']; pid: number }[]
  readonly servers: readonly BackingServer[]
  stop(): Promise<void>
}

/**
 * NATS with JetStream, MongoDB as a replica set and Redis, each from the first source that has it: a URL in the
 * environment, Docker, a program on PATH or in the cache, a download into the cache.
 *
 * @throws SetupError saying what to install, after stopping what was started
 */
export async function startDevstack(options: DevstackOptions): Promise<Devstack> {
  const progress = options.progress ?? (() => {})
  const env = options.env ?? process.env
  const passwords = newPasswords()
  const docker = env.DEVSTACK_DOCKER !== 'off' && (await dockerAnswers(env))
  const optionsFor = await serverOptions(options)

  const sources = [
    {
      name: 'nats-server',
      start: async () => (docker ? startNatsContainer : startNats)({ ...(await optionsFor('nats')), passwords }),
    },
    { name: 'mongod', start: async () => (docker ? startMongoContainer : startMongo)(await optionsFor('mongo')) },
    { name: 'redis-server', start: async () => (docker ? startRedisContainer : startRedis)(await optionsFor('redis')) },
  ] as const
  const outcomes = await Promise.allSettled(
    sources.map(async ({ name, start }) => {
      const server = (await externalServer(name, env)) ?? (await start())
      progress(`${name} is ready (${server.origin})`)
      return server
    }),
  )
  const servers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const stop = async () => void (await Promise.all(servers.map((server) => server.stop())))
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  const [nats, mongo, redis] = servers as [BackingServer, BackingServer, BackingServer]
  return {
    natsUrl: (user) => (nats.origin === 'NATS_URL' ? nats.url : urlFor(nats.url, user, passwords[user])),
    mongoUrl: mongo.url,
    redisUrl: redis.url,
    get processes() {
      return servers.map(({ name, pid }) => ({ name, pid }))
    },
    servers,
    stop,
  }
}

/** What each server is told; its folders exist when this answers. */
async function serverOptions(options: DevstackOptions): Promise<(server: keyof ServerPorts) => Promise<ServerOptions>> {
  const dataDir = resolve(options.dataDir)
  const ports = await rememberedPorts(dataDir)
  const logDir = join(dataDir, 'logs')
  await mkdir(logDir, { recursive: true })
  return async (server) => {
    const own = join(dataDir, server)
    await mkdir(own, { recursive: true })
    return {
      dataDir: own,
      logDir,
      cache: options.cache ?? CACHE,
      port: ports[server],
      durable: options.durable ?? true,
      progress: options.progress ?? (() => {}),
      onSpawn: options.onChange,
      restartWithinMs: options.restartWithinMs,
      signal: options.signal,
    }
  }
}
