import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Devstack, startDevstack } from '../devstack.ts'
import type { Ended, Supervised } from '../supervise.ts'
import { keptSecret } from './auth-secret.ts'
import { lockData } from './data-lock.ts'
import { Fleet } from './fleet.ts'
import type { SystemOptions } from './options.ts'
import { gatewayPorts, planServices } from './plan.ts'
import { type ProcessEntry, type RunState, runFile } from './run-file.ts'
import type { Service, ServiceKind } from './service.ts'

/** One process of the system, ours or a server, by the name it keeps over its restarts. */
export interface ProcessHandle extends Pick<Supervised, 'kill' | 'pause' | 'resume' | 'restart'> {
  name: string
  /** As of now. */
  readonly pid: number
}

export interface System {
  /** HTTP addresses of the gateways; the socket is at `/ws` of each. */
  readonly gateways: { name: string; url: string; opsUrl: string }[]
  /** What run.json says, as of now: a process that was started again has a new pid. */
  readonly processes: ProcessEntry[]
  authSecret: string
  /** As the integration user. */
  natsUrl: string
  devstack: Devstack
  runFile: string
  dataDir: string
  /** To kill, stop and continue, or restart it. @throws when no process of ours has that name */
  process(name: string): ProcessHandle
  /** Starts one more; resolves with its name when it takes work. */
  add(kind: ServiceKind): Promise<string>
  /** Ends a service by SIGTERM and for good. @throws when there is none of that name */
  remove(name: string): Promise<Ended>
  /** Gateways first, then the services behind them, then the servers. */
  stop(): Promise<void>
}

/**
 * The whole system on this machine, ready when this resolves.
 *
 * @throws SetupError saying what is wrong and what to change; what was started is stopped again
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const dataDir = resolve(options.dataDir)
  const ports = await gatewayPorts(options)
  await mkdir(join(dataDir, 'logs'), { recursive: true })
  const closers: (() => Promise<unknown>)[] = [await lockData(dataDir)]
  const stop = async () => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
  }
  const run = runFile(dataDir)
  // Set once everything is ready: from then on every new process is written down.
  let state: (() => RunState) | undefined
  const onChange = () => state && run.write(state())
  try {
    const authSecret = options.authSecret ?? (await keptSecret(dataDir))
    const devstack = await startDevstack({ ...options, dataDir, onChange })
    closers.push(() => devstack.stop())
    const plan = planServices(options, { ports, authSecret, devstack })
    const fleet = new Fleet({ ...options, logDir: join(dataDir, 'logs'), onChange })
    closers.push(() => fleet.stop())
    await fleet.start(await plan.all())
    const { mongoUrl, redisUrl } = devstack
    const natsUrl = devstack.natsUrl('integration')
    const processes = (): ProcessEntry[] => [...fleet.services.map(entryOf), ...devstack.processes]
    state = () => ({ processes: processes(), natsUrl, mongoUrl, redisUrl })
    onChange()
    closers.push(async () => {
      state = undefined
      run.remove()
    })
    return {
      get gateways() {
        return fleet.services.flatMap(({ name, url, opsUrl }) => (url === undefined ? [] : [{ name, url, opsUrl }]))
      },
      get processes() {
        return processes()
      },
      authSecret,
      natsUrl,
      devstack,
      runFile: run.path,
      dataDir,
      process: (name) => {
        const found = fleet.services.find((one) => one.name === name) ?? serverHandle(devstack, name)
        if (found === undefined) throw new Error(`${name} is not a process of this system`)
        return found
      },
      add: async (kind) => (await fleet.add(await plan.next(kind))).name,
      remove: (name) => fleet.remove(name),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function entryOf({ name, pid, url, opsUrl }: Service): ProcessEntry {
  return { name, pid, ...(url === undefined ? {} : { url }), opsUrl }
}

function serverHandle(devstack: Devstack, name: string): ProcessHandle | undefined {
  const server = devstack.servers.find((one) => one.name === name)
  if (server?.handle === undefined) return undefined
  return {
    ...server.handle,
    name,
    get pid() {
      return server.pid
    },
  }
}
