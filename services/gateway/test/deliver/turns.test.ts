import t from 'tap'
import { Turns } from '../../src/deliver/turns.ts'

t.test('so many at once, the others in the order they came, whatever becomes of those before', async (t) => {
  const turns = new Turns(2)
  const ends = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  const begun: number[] = []
  const all = ends.map(({ promise }, i) =>
    turns.run(() => {
      begun.push(i)
      return promise
    }),
  )
  t.same(begun, [0, 1])
  ends[1]?.reject(new Error('failed'))
  await t.rejects(all[1] as Promise<void>)
  t.same(begun, [0, 1, 2])
  ends[0]?.resolve()
  await all[0]
  t.same(begun, [0, 1, 2, 3])
  for (const { resolve } of ends) resolve()
  await Promise.all([all[2], all[3]])
  await turns.run(async () => void begun.push(4))
  t.equal(begun.at(-1), 4)
})
