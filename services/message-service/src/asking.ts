import { setTimeout as delay } from 'node:timers/promises'
import type { Bus, CallContext } from '@qunxin/bus'
import { AppError } from '@qunxin/runtime'

const PATIENCE_MS = 5_000
const REPEAT_EVERY_MS = 500

/**
 * Asks the owner of a partition, whichever instance that is, and repeats until it answers or nobody waits any more; then
 * undefined. What is asked for must be fit to be done twice. Every asking keeps its inbox open until the end, so that an answer
 * to any of them counts.
 */
export async function askOwner(
  bus: Bus,
  subject: string,
  { payload, deadline }: { payload: string } & Pick<CallContext, 'deadline'>,
): Promise<Uint8Array | undefined> {
  const patience = Math.min(PATIENCE_MS, deadline - Date.now())
  const until = performance.now() + patience
  const answered = Promise.withResolvers<Uint8Array>()
  const over = new AbortController()
  const asking = async () => {
    for (let left = patience; left > 0 && !over.signal.aborted; left = until - performance.now()) {
      if (bus.connected) {
        void bus.gather(subject, payload, { enough: () => true, timeoutMs: left }).then(([reply]) => {
          if (reply) answered.resolve(reply)
        })
      }
      await delay(Math.min(REPEAT_EVERY_MS, left), undefined, { signal: over.signal }).catch(() => {})
    }
    return undefined
  }
  try {
    return await Promise.race([answered.promise, asking()])
  } finally {
    over.abort()
  }
}

/**
 * What the owner of a partition answers to something that is asked for.
 *
 * @throws AppError TIMEOUT when none answered: it may be done or not, and may be asked for again
 */
export async function ownersAnswer(
  bus: Bus,
  subject: string,
  { asked, deadline }: { asked: unknown } & Pick<CallContext, 'deadline'>,
): Promise<unknown> {
  const reply = await askOwner(bus, subject, { payload: JSON.stringify(asked), deadline })
  if (!reply) throw new AppError('TIMEOUT')
  return JSON.parse(Buffer.from(reply).toString())
}
