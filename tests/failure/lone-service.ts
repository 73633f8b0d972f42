import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { freePort } from '@qunxin/devstack'
import type { Test } from 'tap'

export interface LoneService {
  pid: number
  opsUrl: string
  /** What it has logged so far. */
  readonly messages: string[]
  /** Sends SIGTERM, and resolves with the exit code (null when it was killed) and how long that took. */
  stop(): Promise<{ code: number | null; tookMs: number }>
}

/** One service process with just that environment, not started again when it ends. */
export async function loneService(
  t: Test,
  kind: 'gateway' | 'group-service' | 'message-service',
  env: Record<string, string>,
): Promise<LoneService> {
  const opsPort = await freePort()
  const main = fileURLToPath(new URL(`../../services/${kind}/src/main.ts`, import.meta.url))
  const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env
  const child = spawn(process.execPath, [main], {
    env: { PATH, NODE_COMPILE_CACHE, OPS_HOST: '127.0.0.1', OPS_PORT: `${opsPort}`, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const messages: string[] = []
  let rest = ''
  child.stdout.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('{')) messages.push(JSON.parse(line).msg)
  })
  const stop = async () => {
    const asked = performance.now()
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    return { code: child.exitCode, tookMs: performance.now() - asked }
  }
  t.teardown(stop)
  return { pid: child.pid as number, opsUrl: `http://127.0.0.1:${opsPort}`, messages, stop }
}
