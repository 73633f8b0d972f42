import { join } from 'node:path'
import { unpackDebian } from '../fetch/debian.ts'
import { run } from '../fetch/run.ts'
import { selfContained } from '../fetch/self-contained.ts'
import { environmentFor, withLibraries } from '../fetch/shared-libraries.ts'
import { findOnPath } from '../find-on-path.ts'
import { probeTcp } from '../probe-tcp.ts'
import { type Progress, SetupError } from '../progress.ts'
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

const OLDEST_MAJOR = 7
const INSTALL_HINT =
  `Redis ${OLDEST_MAJOR} or newer is needed. Install redis-server (Debian 12, Ubuntu 24.04 or newer: apt-get install redis-server), ` +
  'start Docker, or set REDIS_URL.'

/**
 * redis-server from PATH, Valkey from PATH, or Debian's packages unpacked into the cache.
 *
 * @throws SetupError saying what to install when none is new enough
 */
export async function locateRedis(
  cache: string,
  progress: Progress,
): Promise<{ path: string; env: NodeJS.ProcessEnv; origin: string }> {
  for (const program of ['redis-server', 'valkey-server']) {
    const onPath = findOnPath(program)
    if (onPath === undefined) continue
    if ((await majorOf(onPath)) >= OLDEST_MAJOR) return { path: onPath, env: process.env, origin: onPath }
    progress(`${onPath} is older than Redis ${OLDEST_MAJOR}, looking elsewhere`)
  }
  const root = await unpackDebian(cache, {
    name: 'redis',
    packages: [['redis-server']],
    installHint: INSTALL_HINT,
    progress,
  })
  const program = join(root, 'usr', 'bin', 'redis-server')
  const wanted = { name: 'redis-server', path: program, env: withLibraries(process.env, root) }
  const { LD_LIBRARY_PATH } = await environmentFor(cache, wanted, progress)
  const path = await selfContained(join(cache, 'servers', 'redis', 'redis-server'), program, { LD_LIBRARY_PATH })
  const major = await majorOf(path)
  if (major < OLDEST_MAJOR) throw new SetupError(`${INSTALL_HINT} This system's package source has version ${major}.`)
  return { path, env: process.env, origin: "this system's package source, in the cache" }
}

/** Of `Redis server v=7.0.15 sha=…` or `Valkey server v=8.1.1 …`; 0 when it says nothing of the kind. */
async function majorOf(program: string): Promise<number> {
  const { output } = await run(program, ['--version'])
  return Number(/\bv=(\d+)\./.exec(output)?.[1] ?? 0)
}
