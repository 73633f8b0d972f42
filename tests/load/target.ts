import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type ProcessEntry, type RunState, SetupError, type System, startSystem } from '@qunxin/devstack'
import type { Links } from './faults/index.ts'

/** The system a run is made on. */
export interface Target {
  /** Addresses of the gateways for clients. */
  urls: string[]
  authSecret: string
  /** As of now: one that was started again has a new pid. Those without a pid cannot be measured. */
  readonly processes: ProcessEntry[]
  /** When it was made for this run. */
  system?: System
  /** The proxies before its links, when faults want some. */
  links?: Links
  /** Asked again it is the same stop. */
  stop(): Promise<void>
}

/** How a run is not left to end by itself. */
export interface Interrupts {
  /** Gives up a start that is under way. */
  signal?: AbortSignal | undefined
  /** Is told of the system while there is one, to stop it. */
  holds?: ((target: Target | undefined) => void) | undefined
}

export interface TargetOptions extends Pick<Interrupts, 'signal'> {
  gateways: number
  messageServices: number
  groupServices: number
  /** The run.json of a running system, started with RATE_LIMITS=off, to be used instead of a new one. */
  join?: string | undefined
  /** Of a system made for this run: settings of its services, and where NATS_URL and the like are looked for. */
  serviceEnv?: Record<string, string>
  env?: Record<string, string | undefined>
  restartWithinMs?: number
  links?: Links | undefined
  progress(line: string): void
}

/** The `env` of a system whose servers are processes on this machine, to be measured and killed: no container is. */
export const OWN_SERVERS = { PATH: process.env.PATH, DEVSTACK_DOCKER: 'off' }

/** A running system, or one made for this run: without rate limits, on servers of its own, its data thrown away afterwards. */
export async function openTarget(options: TargetOptions): Promise<Target> {
  return options.join === undefined ? startTarget(options) : joinTarget(options.join)
}

/** Opens one, lets it be used and stops it again. */
export async function withTarget<R>(
  { holds, ...options }: TargetOptions & Interrupts,
  use: (target: Target) => Promise<R>,
): Promise<R> {
  const target = await openTarget(options)
  holds?.(target)
  try {
    return await use(target)
  } finally {
    await target.stop()
    holds?.(undefined)
  }
}

async function startTarget(options: TargetOptions): Promise<Target> {
  const { links } = options
  const dataDir = await mkdtemp(join(tmpdir(), 'qunxin-load-'))
  const clear = async () => {
    await links?.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
  let system: System | undefined
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= (async () => {
      await system?.stop()
      await clear()
    })()
    return stopped
  }
  try {
    system = await startIn(dataDir, options)
    const target = await targetOf(system, links)
    options.signal?.throwIfAborted()
    return Object.assign(target, { stop })
  } catch (error) {
    await stop()
    throw error
  }
}

function startIn(dataDir: string, options: TargetOptions): Promise<System> {
  const { gateways, messageServices, groupServices, restartWithinMs, links, progress, signal } = options
  return startSystem({
    dataDir,
    durable: false,
    rateLimits: false,
    gateways,
    messageServices,
    groupServices,
    serviceEnv: { LOG_LEVEL: 'warn', ...options.serviceEnv },
    env: options.env ?? { PATH: process.env.PATH },
    progress,
    ...(signal && { signal }),
    ...(restartWithinMs !== undefined && { restartWithinMs }),
    ...(links && { serviceEnvOf: links.serviceEnvOf }),
  })
}

/** A system that somebody else started and will stop, with the proxies it was started with. */
export async function targetOf(system: System, links?: Links): Promise<Target> {
  return {
    urls: await Promise.all(system.gateways.map((gateway) => links?.clientUrl(gateway) ?? gateway.url)),
    ...(links && { links }),
    authSecret: system.authSecret,
    get processes() {
      return system.processes
    },
    system,
    stop: async () => {},
  }
}

async function joinTarget(runFile: string): Promise<Target> {
  const state = await readRunFile(runFile)
  const beside = join(dirname(runFile), 'auth-secret')
  const authSecret = process.env.AUTH_SECRET ?? (await readFile(beside, 'utf8').catch(() => '')).trim()
  if (authSecret === '')
    throw new SetupError(`There is no ${beside}: set AUTH_SECRET to what that system's tokens are signed with.`)
  const urls = state.processes.flatMap(({ name, url }) => (name.startsWith('gateway') && url ? [url] : []))
  let processes = state.processes
  // Read again and again: a process that was started again has a new pid there.
  const refresh = setInterval(() => {
    readRunFile(runFile).then(
      (now) => {
        processes = now.processes
      },
      () => {},
    )
  }, 1_000)
  return {
    urls,
    authSecret,
    get processes() {
      return processes
    },
    stop: async () => clearInterval(refresh),
  }
}

async function readRunFile(path: string): Promise<RunState> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as RunState
  } catch (error) {
    throw new SetupError(`${path} is not the run.json of a running system: ${(error as Error).message}`)
  }
}
