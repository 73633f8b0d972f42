import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import { SharedLimits } from '../../src/limits/shared-limits.ts'

const logger = createLogger('test', 'silent')

/** A bucket for all gateways whose answers are given by hand. */
function silentLedger() {
  const asked: { tokens: number; answer(balance: { tokens: number; gateways: number }): void }[] = []
  return {
    asked,
    charge: (_: string, tokens: number) =>
      new Promise<{ tokens: number; gateways: number }>((answer) => asked.push({ tokens, answer })),
  }
}

const takeMany = (limits: SharedLimits, times: number, now: number) =>
  Array.from({ length: times }, () => limits.take('1', now)).filter((taken) => taken.ok).length

t.test('while no answer comes this process limits by itself, with one question under way', async (t) => {
  const ledger = silentLedger()
  const limits = new SharedLimits({ ledger, logger })
  t.equal(takeMany(limits, 300, 1_000), 200)
  t.equal(takeMany(limits, 300, 2_000), 50)
  t.equal(ledger.asked.length, 1)
})

t.test('an answer takes away what others have let through, and gives no more than this process may', async (t) => {
  const ledger = silentLedger()
  const limits = new SharedLimits({ ledger, logger, now: () => 0 })
  t.equal(takeMany(limits, 10, 0), 10)
  ledger.asked[0]?.answer({ tokens: 5, gateways: 1 })
  await new Promise(setImmediate)
  t.equal(takeMany(limits, 300, 0), 5)
  t.match(limits.take('1', 0), { ok: false, retryAfterMs: 20 })
  ledger.asked[1]?.answer({ tokens: 200, gateways: 1 })
  await new Promise(setImmediate)
  t.equal(takeMany(limits, 300, 0), 185)
})

t.test('a gateway that was one of two has the whole limit again when nothing was heard for a while', async (t) => {
  const ledger = silentLedger()
  const limits = new SharedLimits({ ledger, logger, now: () => 0 })
  takeMany(limits, 10, 0)
  ledger.asked[0]?.answer({ tokens: 180, gateways: 2 })
  await new Promise(setImmediate)
  t.equal(takeMany(limits, 300, 0), 90)
  t.equal(takeMany(limits, 300, 20_000), 200)
})
