import { eventually } from '../eventually.ts'
import type { TestSystem } from '../system.ts'

/** Ends a process of the system without any warning, and resolves when its successor takes work. */
export async function killAndWait(system: TestSystem, name: string): Promise<void> {
  const killed = system.pid(name)
  process.kill(killed, 'SIGKILL')
  await eventually(() => {
    const { pid } = system.system.processes.find((process) => process.name === name) ?? { pid: killed }
    return pid !== 0 && pid !== killed
  }, `${name} is started again`)
  const { opsUrl } = system.system.processes.find((process) => process.name === name) ?? {}
  if (opsUrl !== undefined) await eventually(() => isReady(opsUrl), `${name} takes work again`)
}

export async function isReady(opsUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${opsUrl}/readyz`)).ok
  } catch {
    return false
  }
}
