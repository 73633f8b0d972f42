import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import type { Asked, Lease } from '../../src/limits/ledger.ts'
import type { Taken } from '../../src/limits/limits.ts'
import { SharedLimits } from '../../src/limits/shared-limits.ts'

const logger = createLogger('test', 'silent')
const turn = () => new Promise(setImmediate)

/** A bucket for all gateways whose answers are given by hand. */
function silentLedger() {
  const asked: (Asked & { answer(lease: Lease): void; fail(): void })[] = []
  return {
    asked,
    lease: (_: string, what: Asked) =>
      new Promise<Lease>((answer, reject) => asked.push({ ...what, answer, fail: () => reject(new Error('away')) })),
  }
}

function setup() {
  const clock = { now: 0 }
  const ledger = silentLedger()
  const limits = new SharedLimits({ ledger, logger, now: () => clock.now })
  t.teardown(() => limits.stop())
  return {
    clock,
    asked: ledger.asked,
    /** So many frames of one user in one turn: how many passed at once, and what becomes of the others. */
    take(times: number, user = '1') {
      const all = Array.from({ length: times }, () => limits.take(user, clock.now))
      const at = all.filter((taken): taken is Taken => !(taken instanceof Promise))
      const rest = all.filter((taken) => taken instanceof Promise)
      return { passed: at.filter(({ ok }) => ok).length, refused: at.filter(({ ok }) => !ok), rest: Promise.all(rest) }
    },
  }
}
const passed = async (rest: Promise<Taken[]>) => (await rest).filter(({ ok }) => ok).length

t.test('a few frames pass without a question, the others wait for one, and get what is granted', async (t) => {
  const { asked, take } = setup()
  const first = take(8)
  t.equal(first.passed, 3)
  await turn()
  t.match(asked, [{ wanted: 5, owed: 3, back: 0 }])
  take(2)
  await turn()
  t.equal(asked.length, 1, 'one question under way')
  asked[0]?.answer({ granted: 4, tokens: 0.5 })
  const [refused] = (await first.rest).filter(({ ok }) => !ok)
  t.equal(await passed(first.rest), 4)
  t.match(refused, { retryAfterMs: 10, floodingSinceMs: 0 })
})

t.test('an empty bucket is not asked again before there is something in it', async (t) => {
  const { clock, asked, take } = setup()
  const first = take(4)
  await turn()
  asked[0]?.answer({ granted: 0, tokens: -49 })
  await first.rest
  clock.now = 999
  t.match(take(1).refused, [{ retryAfterMs: 1, floodingSinceMs: 999 }])
  await turn()
  t.equal(asked.length, 1)
  clock.now = 1_000
  take(1)
  await turn()
  t.match(asked[1], { wanted: 1, owed: 0 })
})

t.test(
  'what is held is used without waiting, asked for again in time, and given back when it was not used',
  async (t) => {
    const { clock, asked, take } = setup()
    const first = take(4)
    await turn()
    asked[0]?.answer({ granted: 11, tokens: 180 })
    t.equal(await passed(first.rest), 1)
    t.equal(take(5).passed, 5)
    await turn()
    t.equal(asked.length, 1)
    t.equal(take(1).passed, 1)
    await turn()
    t.match(asked[1], { wanted: 0, owed: 0, back: 0 }, 'half is left')
    asked[1]?.answer({ granted: 9, tokens: 165 })
    await turn()
    clock.now = 1_001
    t.equal(take(1).passed, 1, 'as one a second is free')
    for (let i = 0; i < 3; i++) take(1)
    await turn()
    t.match(asked[2], { wanted: 1, back: 13 })
  },
)

t.test('when Redis does not answer this process decides by itself, and nobody waits on', async (t) => {
  const { asked, take } = setup()
  const first = take(300)
  await turn()
  asked[0]?.fail()
  t.equal(await passed(first.rest), 197)
  t.equal(take(10).refused.length, 10)
})

t.test('what is asked for other users when Redis fails is not waited for either', async (t) => {
  const { asked, take } = setup()
  const [one, other] = [take(4, '1'), take(4, '2')]
  await turn()
  const behind = take(2, '2')
  asked[0]?.fail()
  t.equal(await passed(one.rest), 1)
  t.equal(await passed(other.rest), 1)
  t.equal(await passed(behind.rest), 2)
})
