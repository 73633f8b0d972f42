import t from 'tap'
import { every, watchStalls } from '../src/index.ts'

/** Resolves when everything due in the next beats has been called. */
const beats = (count: number) =>
  new Promise<void>((resolve) => {
    const alive = setInterval(() => {}, 60_000)
    const counting = every(500, () => {
      if (--count > 0) return
      clearInterval(alive)
      counting.stop()
      setImmediate(resolve)
    })
  })

function standStill(ms: number) {
  const until = performance.now() + ms
  while (performance.now() < until);
}

t.test('an event loop that stood still is noticed once, by whoever looks first', async (t) => {
  const stalls: number[] = []
  const watch = watchStalls(300, (ms) => stalls.push(ms))
  t.teardown(() => watch.stop())
  await beats(2)
  stalls.length = 0
  standStill(1_000)
  await beats(1)
  t.equal(stalls.length, 1)
  t.ok((stalls[0] ?? 0) >= 300, `${stalls[0]} ms`)
  standStill(1_000)
  watch.check()
  t.equal(stalls.length, 2)
  watch.check()
  t.equal(stalls.length, 2)
})
