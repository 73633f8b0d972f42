import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import { startRounds } from '../src/rounds.ts'

const logger = createLogger('test', 'silent')
const NEVER_MS = 2 ** 30

/** Counts rounds; each ends when told to. */
function countedRounds() {
  const begun: PromiseWithResolvers<void>[] = []
  let waiting = Promise.withResolvers<void>()
  return {
    round: () => {
      const end = Promise.withResolvers<void>()
      begun.push(end)
      waiting.resolve()
      return end.promise
    },
    async next(count: number) {
      while (begun.length < count) {
        waiting = Promise.withResolvers<void>()
        await waiting.promise
      }
      return begun[count - 1]!
    },
    get count() {
      return begun.length
    },
  }
}

t.test('a round runs at the start and then when woken', async (t) => {
  const counted = countedRounds()
  const rounds = startRounds(counted.round, { name: 'test', everyMs: NEVER_MS, logger })
  ;(await counted.next(1)).resolve()
  await new Promise((resolve) => setImmediate(resolve))
  rounds.wake()
  ;(await counted.next(2)).resolve()
  await rounds.stop()
  t.equal(counted.count, 2)
})

t.test('a wake during a round leads to another one, never to two at a time', async (t) => {
  const counted = countedRounds()
  const rounds = startRounds(counted.round, { name: 'test', everyMs: NEVER_MS, logger })
  const first = await counted.next(1)
  rounds.wake()
  rounds.wake()
  t.equal(counted.count, 1)
  first.resolve()
  ;(await counted.next(2)).resolve()
  await rounds.stop()
  t.equal(counted.count, 2)
})

t.test('a round that fails is tried again after the pause', async (t) => {
  const counted = countedRounds()
  const rounds = startRounds(counted.round, { name: 'test', everyMs: 5, logger })
  ;(await counted.next(1)).reject(new Error('away'))
  ;(await counted.next(2)).resolve()
  await rounds.stop()
  t.ok(counted.count >= 2)
})

t.test('a stop waits for the round under way and starts no other', async (t) => {
  const counted = countedRounds()
  const rounds = startRounds(counted.round, { name: 'test', everyMs: 1, logger })
  const first = await counted.next(1)
  let stopped = false
  const stop = rounds.stop().then(() => {
    stopped = true
  })
  rounds.wake()
  await new Promise((resolve) => setImmediate(resolve))
  t.notOk(stopped)
  first.resolve()
  await stop
  t.equal(counted.count, 1)
})
