import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Devstack, startDevstack } from '../devstack.ts'
import { freePort } from '../ports.ts'
import { keptSecret } from './auth-secret.ts'
import { lockData } from './data-lock.ts'
import type { SystemOptions } from './options.ts'
import { gatewayPorts, type PlannedService, planServices } from './plan.ts'
import { type ProcessEntry, type RunState, runFile } from './run-file.ts'
import { type Service, startService } from './service.ts'

export interface System {
  /** HTTP addresses of the gateways; the socket is at `/ws` of each. */
  gateways: { name: string; url: string; opsUrl: string }[]
  /** What run.json says, as of now: a process that was started again has a new pid. */
  readonly processes: ProcessEntry[]
  authSecret: string
  /** As the integration user. */
  natsUrl: string
  devstack: Devstack
  runFile: string
  dataDir: string
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
    const services = await startServices(planServices(options, { ports, authSecret, devstack }), {
      ...options,
      dataDir,
      onChange,
      closers,
    })
    const { mongoUrl, redisUrl } = devstack
    const natsUrl = devstack.natsUrl('integration')
    const processes = (): ProcessEntry[] => [...services.map(entryOf), ...devstack.processes]
    state = () => ({ processes: processes(), natsUrl, mongoUrl, redisUrl })
    onChange()
    closers.push(async () => {
      state = undefined
      run.remove()
    })
    return {
      gateways: services.flatMap(({ name, url, opsUrl }) => (url === undefined ? [] : [{ name, url, opsUrl }])),
      get processes() {
        return processes()
      },
      authSecret,
      natsUrl,
      devstack,
      runFile: run.path,
      dataDir,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Starts all at once and registers how they stop, also when one of them fails. */
async function startServices(
  plan: readonly PlannedService[],
  context: SystemOptions & { onChange(): void; closers: (() => Promise<unknown>)[] },
): Promise<Service[]> {
  const progress = context.progress ?? (() => {})
  const outcomes = await Promise.allSettled(
    plan.map(async (planned) => {
      const service = await startService({
        ...planned,
        opsPort: await freePort(),
        logDir: join(context.dataDir, 'logs'),
        progress,
        onSpawn: context.onChange,
        restartWithinMs: context.restartWithinMs,
        signal: context.signal,
      })
      progress(`${service.name} is ready (${service.url ?? service.opsUrl})`)
      return service
    }),
  )
  const services = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  // Closed in reverse: gateways drain while what they talk to still answers.
  for (const kind of ['group-service', 'message-service', 'gateway'] as const) {
    const ofKind = services.filter((service) => service.kind === kind)
    context.closers.push(() => Promise.all(ofKind.map((service) => service.stop())))
  }
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return services
}

function entryOf({ name, pid, url, opsUrl }: Service): ProcessEntry {
  return { name, pid, ...(url === undefined ? {} : { url }), opsUrl }
}
