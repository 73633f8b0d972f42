import { createHash } from 'node:crypto'
import { request } from 'node:http'
import type { GenericContainer as Container, StartedTestContainer } from 'testcontainers'
import { waitUntil } from '../wait.ts'
import type { BackingServer, ServerOptions } from './backing-server.ts'
import { mongodArguments, mongoUrl } from './mongo.ts'
import { NATS_CONFIG, type NatsPasswords, passwordVariables } from './nats.ts'
import { ensurePrimary } from './replica-set.ts'

const IMAGES = { mongo: 'mongo:8.0', nats: 'nats:2.12', redis: 'redis:8' }

/** True when a Docker engine answers within a second where DOCKER_HOST or the usual socket says. */
export function dockerAnswers(env: Record<string, string | undefined> = process.env): Promise<boolean> {
  const host = env.DOCKER_HOST ?? 'unix:///var/run/docker.sock'
  const where = host.startsWith('unix://')
    ? { socketPath: host.slice('unix://'.length) }
    : { host: new URL(host).hostname, port: Number(new URL(host).port || 2375) }
  return new Promise((resolve) => {
    const ping = request({ ...where, path: '/_ping', timeout: 1000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    ping.once('timeout', () => ping.destroy())
    ping.once('error', () => resolve(false))
    ping.end()
  })
}

export async function startMongoContainer(options: ServerOptions): Promise<BackingServer> {
  const { port } = options
  const started = await container(IMAGES.mongo, options, '/data/db', (image) =>
    // The same port inside and outside, so that the one address in the replica set's configuration is right for both.
    image
      .withExposedPorts({ container: port, host: port })
      .withCommand(['mongod', ...mongodArguments(port), '--bind_ip_all']),
  )
  const host = address(started)
  await waitUntil(
    { name: IMAGES.mongo, logFile: 'docker logs', running: true },
    () => ensurePrimary(host, port),
    60_000,
  )
  return server('mongod', started, mongoUrl(host, port))
}

export async function startNatsContainer(
  options: ServerOptions & { passwords: NatsPasswords },
): Promise<BackingServer> {
  const started = await container(IMAGES.nats, options, '/data', (image) =>
    image
      .withExposedPorts(4222)
      .withEnvironment(passwordVariables(options.passwords))
      .withCopyFilesToContainer([{ source: NATS_CONFIG, target: '/etc/nats/nats.conf' }])
      .withCommand(['--config', '/etc/nats/nats.conf', '--jetstream', '--store_dir', '/data']),
  )
  return server('nats-server', started, `nats://${address(started)}:${started.getMappedPort(4222)}`)
}

export async function startRedisContainer(options: ServerOptions): Promise<BackingServer> {
  const started = await container(IMAGES.redis, { ...options, durable: false }, '/data', (image) =>
    image.withExposedPorts(6379).withCommand(['redis-server', '--save', '', '--appendonly', 'no']),
  )
  return server('redis-server', started, `redis://${address(started)}:${started.getMappedPort(6379)}`)
}

async function container(
  image: string,
  options: ServerOptions,
  dataAt: string,
  configure: (image: Container) => Container,
): Promise<StartedTestContainer> {
  options.progress(`starting ${image} in Docker (the first time it is pulled)`)
  // Loaded only here: it is large, and most machines without an engine never need it.
  const { GenericContainer } = await import('testcontainers')
  const made = configure(new GenericContainer(image))
  if (!options.durable) return made.start()
  const volume = `qunxin-${createHash('sha256').update(options.dataDir).digest('hex').slice(0, 12)}`
  return made.withBindMounts([{ source: volume, target: dataAt, mode: 'rw' }]).start()
}

function address(started: StartedTestContainer): string {
  return started.getHost() === 'localhost' ? '127.0.0.1' : started.getHost()
}

function server(name: BackingServer['name'], started: StartedTestContainer, url: string): BackingServer {
  return { name, pid: 0, url, origin: 'Docker', stop: async () => void (await started.stop({ timeout: 20_000 })) }
}
