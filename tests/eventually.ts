import { setTimeout as delay } from 'node:timers/promises'

const GIVE_UP_MS = 30_000

/** Waits for a state. @throws when it does not come about */
export async function eventually(
  holds: () => Promise<boolean> | boolean,
  what: string,
  giveUpMs = GIVE_UP_MS,
): Promise<void> {
  const deadline = performance.now() + giveUpMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`it did not come about that ${what}`)
    await delay(10)
  }
}
