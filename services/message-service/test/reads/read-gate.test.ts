import t from 'tap'
import { ReadGate } from '../../src/reads/read-gate.ts'

t.test('so many run at once, so many wait in their order, and one more is refused', async (t) => {
  const gate = new ReadGate({ atOnce: 2, waiting: 3 })
  const begun: number[] = []
  const ends: (() => void)[] = []
  const read = (number: number) =>
    gate.run(Number.POSITIVE_INFINITY, async () => {
      begun.push(number)
      await new Promise<void>((resolve) => ends.push(resolve))
      return number
    })
  const reads = [1, 2, 3, 4, 5].map(read)
  await t.rejects(read(6), { code: 'UNAVAILABLE' })
  t.same(begun, [1, 2])
  t.equal(gate.size, 5)
  for (const done of [1, 2, 3, 4, 5]) {
    ends.shift()?.()
    t.equal(await reads[done - 1], done)
    await new Promise(setImmediate)
    t.ok(begun.length <= done + 2)
  }
  t.same(begun, [1, 2, 3, 4, 5])
  t.equal(gate.size, 0)
})

t.test('who waited too long is not read for, and who fails hands the turn on', async (t) => {
  let now = 0
  const gate = new ReadGate({ atOnce: 1, waiting: 9 }, () => now)
  const first = Promise.withResolvers<void>()
  const failing = gate.run(100, () => first.promise)
  const late = gate.run(50, async () => t.fail('nobody waits for it'))
  const third = gate.run(100, async () => 'read')
  late.catch(() => {})
  now = 60
  first.reject(new Error('no database'))
  await t.rejects(failing, { message: 'no database' })
  await t.rejects(late, { code: 'TIMEOUT' })
  t.equal(await third, 'read')
})
