import { mock } from 'node:test'
import type { OutputOf, sync } from '@qunxin/contracts'
import t, { type Test } from 'tap'
import { unavailable } from '../src/call-error.ts'
import { CatchUp } from '../src/catch-up.ts'
import { Standings } from '../src/standings.ts'
import { message } from './sample.ts'

type Answer = OutputOf<typeof sync>
const personal = { sessionId: '', peerUserId: 7 }

/** A client that was given everything up to 3, on a connection that just came; its clock goes on with `later`. */
function begun(t: Test) {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const standings = new Standings()
  standings.at(personal, 3)
  const given: number[] = []
  let asking = Promise.withResolvers<Answer>()
  const catchUp = new CatchUp({
    standings,
    resumed: true,
    call: () => {
      asking = Promise.withResolvers()
      return asking.promise
    },
    give: ({ seq }) => given.push(seq),
    events: { emit: () => {} },
  })
  catchUp.begin()
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return {
    given,
    take: (seq: number) => void (catchUp.keeps(personal, message({ seq })) || given.push(seq)),
    async later(ms: number) {
      mock.timers.tick(ms)
      await turn()
    },
    async page(seqs: number[], hasMore: boolean) {
      const messages = seqs.map((seq) => message({ seq }))
      asking.resolve({ positions: [{ ...personal, status: 'messages', messages, hasMore }], new: [] })
      await turn()
    },
    async fail() {
      asking.reject(unavailable('away'))
      await turn()
    },
  }
}

t.test('however long it takes to catch up, live messages wait while the server goes on answering', async (t) => {
  const { given, take, later, page } = begun(t)
  take(20)
  for (const seq of [4, 5, 6]) {
    await later(7_000)
    await page([seq], true)
  }
  t.same(given, [4, 5, 6])
  await later(7_000)
  await page([7, 20], false)
  t.same(given.slice(0, 5), [4, 5, 6, 7, 20])
})

t.test('while it does not answer live messages wait ten seconds and no longer', async (t) => {
  const { given, take, later, page, fail } = begun(t)
  take(20)
  await later(9_000)
  await fail()
  t.same(given, [])
  await later(1_000)
  t.same(given, [20])
  take(21)
  t.same(given, [20, 21])
  await page([4], true)
  t.same(given, [20, 21, 4])
})
