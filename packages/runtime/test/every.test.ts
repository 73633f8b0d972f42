import t, { type Test } from 'tap'
import { every } from '../src/every.ts'

/** What is due keeps no process alive. */
function staysAlive(t: Test) {
  const alive = setInterval(() => {}, 60_000)
  t.teardown(() => clearInterval(alive))
}

/** Resolves when it was called so often. */
function calls(periodMs: number, times: number, called: () => void = () => {}) {
  return new Promise<void>((resolve) => {
    let left = times
    const running = every(periodMs, () => {
      called()
      if (--left > 0) return
      running.stop()
      resolve()
    })
  })
}

t.test('it calls back again and again until it is stopped', async (t) => {
  staysAlive(t)
  let called = 0
  const running = every(250, () => {
    called += 1
  })
  await calls(250, 2)
  t.equal(called, 2)
  running.stop()
  await calls(250, 2)
  t.equal(called, 2)
})

t.test('what is due at the same time is called in the same turn, whenever it was begun', async (t) => {
  staysAlive(t)
  let turns = 0
  let isInTurn = false
  const count = () => {
    if (isInTurn) return
    isInTurn = true
    turns += 1
    setImmediate(() => {
      isInTurn = false
    })
  }
  const short = calls(250, 4, count)
  await new Promise((resolve) => setTimeout(resolve, 100))
  await Promise.all([short, calls(500, 1, count), calls(500, 1, count)])
  t.equal(turns, 4)
})

t.test('one that begins or stops another in its turn disturbs nobody', async (t) => {
  staysAlive(t)
  let called = 0
  const first = every(250, () => {
    called += 1
    first.stop()
    every(250, () => {}).stop()
  })
  await calls(250, 3)
  t.equal(called, 1)
})

t.test('what does not fit the beat is refused', async (t) => {
  for (const period of [0, -250, 100, 375, Number.NaN]) t.throws(() => every(period, () => {}), RangeError)
})
