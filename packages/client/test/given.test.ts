import t from 'tap'
import { Given } from '../src/given.ts'

t.test('each seq is new once, in whatever order they come', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  t.comment(`seed ${seed}`)
  let state = seed
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % below
  }
  for (let round = 0; round < 200; round++) {
    const given = new Given(0)
    const had = new Set<number>()
    for (let i = 0; i < 60; i++) {
      const seq = 1 + random(40)
      if (given.add(seq) === had.has(seq)) return t.fail(`${seq} behind ${[...had]}`)
      had.add(seq)
      let contiguous = 0
      while (had.has(contiguous + 1)) contiguous += 1
      if (given.contiguous !== contiguous) return t.fail(`${given.contiguous} with ${[...had]}`)
    }
  }
  t.pass('200 times')
})

t.test('what is in front of the base need not be there, and is given all the same when it comes', async (t) => {
  const given = new Given(50)
  t.equal(given.contiguous, 50)
  t.equal(given.add(50), true)
  t.equal(given.add(52), true)
  t.equal(given.contiguous, 50)
  given.skipTo(51)
  t.equal(given.contiguous, 52)
  t.equal(given.add(51), true, 'it came after all')
  t.equal(given.add(52), false)
})
