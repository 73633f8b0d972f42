import { join } from 'node:path'
import { type Child, startChild } from '../child.ts'
import { supervise } from '../supervise.ts'
import type { BackingServer, ServerOptions } from './backing-server.ts'

const STOP_LIMIT_MS = 20_000

/** A server that runs as our own process, and is started again when it ends without being asked. */
export async function localServer(
  options: ServerOptions,
  program: {
    name: BackingServer['name']
    command: string
    args: readonly string[]
    env: NodeJS.ProcessEnv
    url: string
    origin: string
    ready(child: Child): Promise<unknown>
  },
): Promise<BackingServer> {
  const { name, command, args, env } = program
  const supervised = await supervise({
    name,
    spawn: () => startChild({ name, command, args, env, logFile: join(options.logDir, `${name}.log`) }),
    ready: async (child) => void (await program.ready(child)),
    progress: options.progress,
    onSpawn: options.onSpawn,
    restartWithinMs: options.restartWithinMs,
    signal: options.signal,
  })
  const { kill, pause, resume } = supervised
  return {
    name,
    get pid() {
      return supervised.pid
    },
    url: program.url,
    origin: program.origin,
    handle: { kill, pause, resume, restart: (graceMs = STOP_LIMIT_MS) => supervised.restart(graceMs) },
    stop: async () => void (await supervised.stop(STOP_LIMIT_MS)),
  }
}
