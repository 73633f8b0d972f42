import { join } from 'node:path'
import { startChild } from '../child.ts'
import type { Progress } from '../progress.ts'
import { REPOSITORY } from '../repository.ts'
import { type Supervised, supervise } from '../supervise.ts'
import { waitUntil } from '../wait.ts'

export type ServiceKind = 'gateway' | 'group-service' | 'message-service'

export interface ServiceOptions {
  kind: ServiceKind
  /** `gateway-1` */
  name: string
  opsPort: number
  url?: string
  env: Record<string, string | undefined>
  logDir: string
  progress: Progress
  onSpawn(): void
  restartWithinMs?: number | undefined
  signal?: AbortSignal | undefined
}

export interface Service extends Supervised {
  kind: ServiceKind
  /** `gateway-1` */
  name: string
  opsUrl: string
  url?: string
}

/**
 * Node's own limit lets the young generation grow so far that it is most of what an idle connection seems to cost; and a gateway
 * that has become quiet collects what connecting has left behind.
 */
const NODE_FLAGS = ['--max-semi-space-size=16', '--expose-gc']

const READY_LIMIT_MS = 60_000
/** A service drains by itself within 25 s; only one that hangs is killed. */
const STOP_LIMIT_MS = 27_000

/** Runs a service's main.ts and waits until it takes work; started again, visibly, whenever it ends without being asked. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { kind, name, opsPort } = options
  const opsUrl = `http://127.0.0.1:${opsPort}`
  const supervised = await supervise({
    name,
    spawn: () =>
      startChild({
        name,
        command: process.execPath,
        args: [...NODE_FLAGS, join(REPOSITORY, 'services', kind, 'src', 'main.ts')],
        cwd: REPOSITORY,
        env: { ...process.env, ...options.env, OPS_HOST: '127.0.0.1', OPS_PORT: `${opsPort}` },
        logFile: join(options.logDir, `${name}.log`),
      }),
    ready: async (child) => void (await waitUntil(child, () => takesWork(opsUrl, options.url), READY_LIMIT_MS)),
    progress: options.progress,
    onSpawn: options.onSpawn,
    restartWithinMs: options.restartWithinMs,
    signal: options.signal,
  })
  return {
    kind,
    name,
    opsUrl,
    ...(options.url === undefined ? {} : { url: options.url }),
    get pid() {
      return supervised.pid
    },
    get running() {
      return supervised.running
    },
    kill: supervised.kill,
    pause: supervised.pause,
    resume: supervised.resume,
    restart: (graceMs = STOP_LIMIT_MS) => supervised.restart(graceMs),
    stop: (graceMs = STOP_LIMIT_MS) => supervised.stop(graceMs),
  }
}

/** Ready by its own word, and a gateway also by that of its clients' port. */
async function takesWork(opsUrl: string, url: string | undefined): Promise<true | undefined> {
  for (const address of [`${opsUrl}/readyz`, ...(url === undefined ? [] : [`${url}/canConnect`])]) {
    const response = await fetch(address, { signal: AbortSignal.timeout(2000) })
    const text = await response.text()
    if (!response.ok || text === 'false') throw new Error(`${address} says: ${text}`)
  }
  return true
}
