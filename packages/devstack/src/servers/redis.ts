import { join } from 'node:path'
import { unpackDebian } from '../fetch/debian.ts'
import { selfContained } from '../fetch/self-contained.ts'
import { environmentFor, withLibraries } from '../fetch/shared-libraries.ts'
import { findOnPath } from '../find-on-path.ts'
import { probeTcp } from '../probe-tcp.ts'
import type { Progress } from '../progress.ts'
import { waitUntil } from '../wait.ts'
import type { BackingServer, ServerOptions } from './backing-server.ts'
import { localServer } from './local-server.ts'

/** Redis without persistence: presence is rebuilt by the gateways, and nothing else is kept there. */
export async function startRedis(options: ServerOptions): Promise<BackingServer> {
  const { port, cache, progress } = options
  const { path, env, origin } = await locateRedis(cache, progress)
  return localServer(options, {
    name: 'redis-server',
    command: path,
    args: ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', options.dataDir],
    env,
    url: `redis://127.0.0.1:${port}`,
    origin,
    ready: (child) =>
      waitUntil(child, async () => ((await probeTcp(port, 'PING\r\n')).startsWith('+PONG') ? true : undefined)),
  })
}

/** redis-server from PATH, Valkey from PATH, or Debian's packages unpacked into the cache. */
export async function locateRedis(
  cache: string,
  progress: Progress,
): Promise<{ path: string; env: NodeJS.ProcessEnv; origin: string }> {
  for (const program of ['redis-server', 'valkey-server']) {
    const onPath = findOnPath(program)
    if (onPath !== undefined) return { path: onPath, env: process.env, origin: onPath }
  }
  const installHint =
    'Redis is needed. Install redis-server (Debian, Ubuntu: apt-get install redis-server), start Docker, or set REDIS_URL.'
  const root = await unpackDebian(cache, { name: 'redis', packages: [['redis-server']], installHint, progress })
  const path = join(root, 'usr', 'bin', 'redis-server')
  const env = await environmentFor(
    cache,
    { name: 'redis-server', path, env: withLibraries(process.env, root) },
    progress,
  )
  return {
    path: await selfContained(join(cache, 'servers', 'redis', 'redis-server'), path, {
      LD_LIBRARY_PATH: env.LD_LIBRARY_PATH,
    }),
    env: process.env,
    origin: "this system's package source, in the cache",
  }
}
