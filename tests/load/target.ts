import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ProcessEntry, type RunState, startSystem } from '@qunxin/devstack'

export interface Target {
  urls: string[]
  authSecret: string
  /** Those with a pid: what others started cannot be measured. */
  processes: ProcessEntry[]
  stop(): Promise<void>
}

/** The system that RUN_JSON and AUTH_SECRET name, or one made for this run: without rate limits, on servers of its own. */
export async function openTarget(env: Record<string, string | undefined> = process.env): Promise<Target> {
  if (env.RUN_JSON !== undefined) {
    if (env.AUTH_SECRET === undefined) throw new Error('RUN_JSON needs AUTH_SECRET beside it, to make tokens')
    const { processes } = JSON.parse(await readFile(env.RUN_JSON, 'utf8')) as RunState
    return { ...describe(processes), authSecret: env.AUTH_SECRET, stop: async () => {} }
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'qunxin-bench-'))
  const system = await startSystem({
    dataDir,
    durable: false,
    rateLimits: false,
    gateways: Number(env.GATEWAYS ?? 1),
    messageServices: Number(env.MESSAGE_SERVICES ?? 1),
    serviceEnv: { LOG_LEVEL: 'warn' },
    env: { PATH: env.PATH },
  })
  return {
    ...describe(system.processes),
    authSecret: system.authSecret,
    async stop() {
      await system.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

function describe(processes: readonly ProcessEntry[]) {
  const urls = processes.flatMap(({ name, url }) => (name.startsWith('gateway') && url !== undefined ? [url] : []))
  return { urls, processes: processes.filter(({ pid }) => pid !== 0) }
}
