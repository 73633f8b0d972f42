import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { residentKib } from './measure/proc.ts'
import type { Target } from './target.ts'
import { bindUsers } from './users.ts'

const SETTLE_MS = 3_000

export interface IdleResult {
  connections: number
  /** Growth of all gateways together. */
  kibPerConnection: number
}

/** Bound sockets that do nothing: what each costs the gateways in memory. */
export async function runIdle(target: Target, connections: number): Promise<IdleResult> {
  const pids = target.processes.filter(({ name }) => name.startsWith('gateway')).map(({ pid }) => pid)
  const resident = () => pids.reduce((sum, pid) => sum + residentKib(pid), 0)
  const first = randomInt(1_000_000, 2 ** 40)
  const ids = Array.from({ length: connections }, (_, i) => first + i)
  // What the first connections load once (code, pools) is no cost of a connection.
  const warm = await bindUsers(target, ids.slice(0, 100))
  await delay(SETTLE_MS)
  const before = resident()
  const sockets = await bindUsers(target, ids.slice(100))
  await delay(SETTLE_MS)
  const kibPerConnection = (resident() - before) / sockets.length
  const alive = [...warm, ...sockets].filter(({ readyState, OPEN }) => readyState === OPEN).length
  for (const socket of [...warm, ...sockets]) socket.terminate()
  return { connections: alive, kibPerConnection }
}
