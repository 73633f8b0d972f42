import { setTimeout as delay } from 'node:timers/promises'

const GIVE_UP_MS = 20_000

/** Waits for a state. @throws when it does not come about */
export async function eventually(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`it did not come about that ${what}`)
    await delay(10)
  }
}
